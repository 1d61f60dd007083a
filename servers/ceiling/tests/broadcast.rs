//! `WS /ws/broadcast` and `POST /publish`.

mod common;

use common::{Client, Server, frame, upgrade};
use framing::Opcode;
use serde_json::json;

fn expected(ids: impl Iterator<Item = u64>, data: &str) -> Vec<String> {
    ids.map(|id| format!(r#"{{"id":{id},"data":"{data}"}}"#)).collect()
}

fn read_texts(client: &mut Client, count: usize) -> Vec<String> {
    (0..count).map(|_| client.read_text()).collect()
}

#[test]
fn every_subscriber_of_every_loop_gets_every_publication_in_order() {
    let server = Server::start(&[]);
    let mut subscribers: Vec<Client> = (0..20).map(|_| server.open("/ws/broadcast")).collect();
    // By HTTP on a connection that is kept, and by a subscriber itself.
    let mut publisher = server.connect();
    for id in 1..=50 {
        if id % 2 == 0 {
            subscribers[id as usize % 20].send_frame(Opcode::Text, b"x");
        } else {
            publisher.send(b"POST /publish HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
            assert_eq!(publisher.read_answer(), (202, json!({"id": id, "subscribers": 20})));
        }
        // Each has arrived before the next is sent, so the ids are in the order of sending.
        for subscriber in &mut subscribers {
            assert_eq!(subscriber.read_text(), format!(r#"{{"id":{id},"data":"x"}}"#));
        }
    }
}

#[test]
fn publications_in_one_burst_all_arrive() {
    let server = Server::start(&["--replay-window", "2000"]);
    let mut subscribers: Vec<Client> = (0..5).map(|_| server.open("/ws/broadcast")).collect();
    let mut publisher = server.open("/ws/broadcast");
    publisher.send(&frame(true, Opcode::Text, b"y").repeat(1500));
    let all = expected(1..=1500, "y");
    for subscriber in subscribers.iter_mut().chain([&mut publisher]) {
        assert_eq!(read_texts(subscriber, 1500), all);
    }
}

#[test]
fn a_publication_is_json_with_its_name() {
    let server = Server::start(&[]);
    let mut subscriber = server.open("/ws/broadcast");
    let publish = |query: &str, body: &str| {
        let length = body.len();
        server.request(&format!("POST /publish{query} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"))
    };
    assert_eq!(publish("?event=a%20b", "\"ä\n").0, 202);
    assert_eq!(subscriber.read_text(), r#"{"id":1,"event":"a b","data":"\"ä\n"}"#);
    for bad in ["?event=", "?event=a%0Ab", "?event=%00"] {
        assert_eq!(publish(bad, "x").0, 400, "{bad}");
    }
    let chunked =
        "POST /publish HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n";
    assert_eq!(server.request(chunked).0, 202);
    assert_eq!(subscriber.read_text(), r#"{"id":2,"data":"hi!"}"#);
}

#[test]
fn after_replays_what_the_window_still_holds() {
    let server = Server::start(&["--replay-window", "5"]);
    for _ in 0..8 {
        assert_eq!(server.publish("x").0, 202);
    }
    for (after, from) in [("0", 4), ("5", 6), ("8", 9), ("99999999999999999999999", 9)] {
        let mut subscriber = server.open(&format!("/ws/broadcast?after={after}"));
        let count = 9 - from as usize;
        assert_eq!(read_texts(&mut subscriber, count), expected(from..9, "x"), "after {after}");
    }
    for bad in ["", "-1", "x", "1.5"] {
        let (status, answer) = server.request(&upgrade(&format!("/ws/broadcast?after={bad}")));
        assert_eq!(status, 400, "{bad}");
        assert!(answer["error"].is_string(), "{answer}");
    }
    let subscribers = |stats: &serde_json::Value| stats["subscribers"]["websocket"] == 0;
    server.stats_when(subscribers);
}

#[test]
fn what_is_refused_is_closed_with_its_code() {
    let server = Server::start(&["--publication-bytes", "100"]);
    for (what, opcode, payload, code) in [
        ("too long", Opcode::Text, vec![b'x'; 101], 1009),
        ("not UTF-8", Opcode::Text, vec![0xff], 1007),
        ("not text", Opcode::Binary, vec![b'x'], 1003),
    ] {
        let mut subscriber = server.open("/ws/broadcast");
        subscriber.send_frame(opcode, &payload);
        assert_eq!(subscriber.read_close(), Some(code), "{what}");
    }
    let mut longest = server.open("/ws/broadcast");
    longest.send_frame(Opcode::Text, &[b'x'; 100]);
    assert_eq!(longest.read_text(), expected(1..2, &"x".repeat(100))[0]);
}

/// One that stops reading is closed and counted; the others get everything meanwhile.
#[test]
fn a_subscriber_that_lags_is_closed_and_holds_up_nobody() {
    let server = Server::start(&["--replay-window", "64"]);
    let mut reader = server.open("/ws/broadcast");
    let mut sleeper = server.open("/ws/broadcast");
    let body = "z".repeat(60_000);
    // More than the sockets' buffers and the window hold together.
    let count = 1000;
    for text in expected(1..=count, &body) {
        assert_eq!(server.publish(&body).0, 202);
        assert_eq!(reader.read_text(), text);
    }
    let stats = server.stats_when(|stats| stats["dropped"]["lagged"] == 1);
    assert_eq!(stats["subscribers"]["websocket"], 1);
    assert_eq!(stats["publications"], count);

    // What went out before arrives, each once and in order; then the reason, unless it slept for too long.
    let frames = sleeper.read_all_frames();
    let (texts, closes): (Vec<_>, Vec<_>) =
        frames.into_iter().partition(|(opcode, _)| *opcode == Opcode::Text);
    assert!(texts.len() < count as usize, "it got all {count}");
    for ((_, text), id) in texts.iter().zip(1..) {
        assert!(text.starts_with(format!(r#"{{"id":{id},"#).as_bytes()));
    }
    for (opcode, body) in closes {
        assert_eq!((opcode, &body[..2]), (Opcode::Close, &1013_u16.to_be_bytes()[..]));
    }
}
