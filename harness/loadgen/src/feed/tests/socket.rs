//! The feed over a WebSocket.

use framing::{Header, Opcode};

use super::*;

fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Header { fin: true, opcode, mask: None, payload_bytes: payload.len() as u64 }.encode(&mut bytes);
    [bytes, payload.to_vec()].concat()
}

/// The right answer to a request for the upgrade, and these items.
fn messages(request: &str, items: &[String]) -> Vec<u8> {
    let key = request.split("Sec-WebSocket-Key: ").nth(1).and_then(|rest| rest.lines().next());
    let accept = framing::accept_key(key.expect("a request has a key"));
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let items = items.iter().flat_map(|item| frame(Opcode::Text, item.as_bytes()));
    [head.into_bytes(), items.collect(), frame(Opcode::Close, b"\x03\xe8")].concat()
}

#[test]
fn over_a_websocket_each_feed_takes_a_connection_which_the_server_ends() {
    let mut bench = Bench::new(FeedTransport::Websocket);
    for _ in 0..3 {
        let request = bench.asks();
        assert!(request.starts_with("GET /feed/ws HTTP/1.1\r\n"), "{request}");
        let mut whole = messages(&request, &items());
        for byte in whole.chunks_mut(1) {
            let at_ns = bench.context.clock.now_ns();
            bench.feed.receive(&mut bench.peer, byte, at_ns, &mut bench.context).expect("a part of a feed");
        }
        assert!(bench.feed.is_over(&bench.peer));
        assert_eq!(bench.context.out[0], 0x88, "the close is answered");
        bench.context.out.clear();
        assert_eq!(bench.asks(), "");
        bench.feed.renew(&mut bench.peer);
    }
    let tally = &bench.context.tally;
    assert_eq!((bench.errors(), tally.messages, tally.first_item.count()), (vec![], 3, 3));
    assert!(tally.first_item.max_ns() < tally.latency.max_ns());
    bench.feed.finish(&mut bench.context);
    assert_eq!(bench.errors(), []);
}

#[test]
fn a_wrong_feed_over_a_websocket_is_told_by_its_cause() {
    let differs = "a feed that differs from the first one fetched";
    let binary = |mut stream: Vec<u8>| {
        let at = stream.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        stream[at] = 0x82;
        stream
    };
    type Change<'a> = &'a dyn Fn(&str) -> Vec<u8>;
    let changes: [(Change, &str); 4] = [
        (&|request| messages(request, &items()[..499]), differs),
        (&|request| messages(request, &[items(), items()].concat()), differs),
        (&|request| messages(request, &items()[1..]), differs),
        (&|request| binary(messages(request, &items())), "a message that is no text"),
    ];
    for (change, cause) in changes {
        let mut bench = Bench::new(FeedTransport::Websocket);
        let mut stream = change(&bench.asks());
        let at_ns = bench.context.clock.now_ns();
        bench.feed.receive(&mut bench.peer, &mut stream, at_ns, &mut bench.context).expect("an answer");
        assert_eq!((bench.errors(), bench.context.tally.messages), (vec![(cause, 1)], 0));
        assert!(bench.feed.is_over(&bench.peer), "it goes on with the next connection");
    }
    let mut bench = Bench::new(FeedTransport::Websocket);
    let request = bench.asks();
    let mut stream = [messages(&request, &[]), Vec::new()].concat();
    let end = stream.len();
    stream[end - 1] = 0xf3;
    let at_ns = bench.context.clock.now_ns();
    let loss = bench.feed.receive(&mut bench.peer, &mut stream, at_ns, &mut bench.context);
    assert_eq!(loss.map_err(|loss| loss.to_string()), Err("closed 1011".to_owned()));
}
