//! `GET /sse`, `GET /poll` and the feed, over sockets.

mod common;

use common::{Client, Server};
use framing::Opcode;
use serde_json::json;

/// The data of the next chunk; empty at the end of the body.
fn read_chunk(client: &mut Client) -> String {
    let mut size = String::new();
    while !size.ends_with("\r\n") {
        size.push_str(&String::from_utf8(client.take(1)).expect("a size is text"));
    }
    let bytes = client.take(usize::from_str_radix(size.trim_end(), 16).expect("a size"));
    assert_eq!(client.take(2), b"\r\n");
    String::from_utf8(bytes).expect("an event stream is UTF-8")
}

fn open_stream(server: &Server, path: &str, header: &str) -> Client {
    let mut client = server.connect();
    client.send(format!("GET {path} HTTP/1.1\r\n{header}\r\n").as_bytes());
    let head = client.read_head();
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.contains("content-type: text/event-stream\r\n"),
        "{head}"
    );
    client
}

#[test]
fn an_event_stream_replays_and_goes_on_with_what_is_published() {
    let server = Server::start(&["--retry-ms", "1234"]);
    for _ in 0..3 {
        server.publish("x");
    }
    let mut client = open_stream(&server, "/sse?after=0", "Last-Event-ID: 2\r\n");
    assert_eq!(read_chunk(&mut client), "retry: 1234\n\n");
    assert_eq!(read_chunk(&mut client), "id: 3\ndata: {\"id\":3,\"data\":\"x\"}\n\n");
    let large = "y".repeat(60_000);
    let (_, receipt) = server.publish(&large);
    assert_eq!(receipt, json!({"id": 4, "subscribers": 1}));
    assert_eq!(read_chunk(&mut client), format!("id: 4\ndata: {{\"id\":4,\"data\":\"{large}\"}}\n\n"));
    drop(client);
    server.stats_when(|stats| stats["subscribers"]["sse"] == 0);
}

#[test]
fn subscribers_get_heartbeats() {
    let server = Server::start(&["--heartbeat-ms", "20"]);
    let mut stream = open_stream(&server, "/sse", "");
    let mut websocket = server.open("/ws/broadcast");
    assert_eq!(read_chunk(&mut stream), "retry: 1000\n\n");
    for _ in 0..3 {
        assert_eq!(read_chunk(&mut stream), ":\n\n");
        assert_eq!(websocket.read_frame(), (Opcode::Ping, Vec::new()));
    }
}

#[test]
fn a_stream_that_lags_ends_when_its_client_reads_again() {
    let server = Server::start(&["--replay-window", "8"]);
    let mut client = open_stream(&server, "/sse", "");
    let body = "z".repeat(60_000);
    // More than the sockets' buffers and the window hold together.
    for _ in 0..400 {
        server.publish(&body);
    }
    let mut expected = 1;
    assert_eq!(read_chunk(&mut client), "retry: 1000\n\n");
    loop {
        let block = read_chunk(&mut client);
        if block.is_empty() {
            break;
        }
        assert!(block.starts_with(&format!("id: {expected}\n")), "{expected}");
        expected += 1;
    }
    client.read_end();
    assert!(expected < 400, "it got all");
    server.stats_when(|stats| stats["dropped"]["lagged"] == 1 && stats["subscribers"]["sse"] == 0);
}

#[test]
fn a_poll_waits_for_a_publication_and_the_connection_goes_on() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    // The second request comes while the first waits, and is answered after it.
    client.send(b"GET /poll HTTP/1.1\r\n\r\nGET /poll?after=0 HTTP/1.1\r\n\r\nGET /xhr?cou");
    server.stats_when(|stats| stats["subscribers"]["long_poll"] == 1);
    assert_eq!(server.publish("x").1, json!({"id": 1, "subscribers": 1}));
    let expected = (200, json!([{"id": 1, "data": "x"}]));
    assert_eq!(client.read_answer(), expected);
    assert_eq!(client.read_answer(), expected);
    client.send(b"nt=5 HTTP/1.1\r\n\r\n");
    assert_eq!(client.read_answer(), (200, json!({"count": 4})));
    for id in 2..=5 {
        client.send(format!("GET /poll?after={} HTTP/1.1\r\n\r\n", id - 1).as_bytes());
        server.stats_when(|stats| stats["subscribers"]["long_poll"] == 1);
        server.publish("y");
        assert_eq!(client.read_answer(), (200, json!([{"id": id, "data": "y"}])));
    }
}

#[test]
fn a_poll_ends_when_its_time_is_over_and_when_its_client_has_gone() {
    let server = Server::start(&["--poll-wait-ms", "200"]);
    let mut client = server.connect();
    for _ in 0..3 {
        client.send(b"GET /poll HTTP/1.1\r\n\r\n");
        assert_eq!(client.read_head(), "HTTP/1.1 204 No Content\r\n\r\n");
    }
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send(b"GET /poll HTTP/1.1\r\n\r\n");
    server.stats_when(|stats| stats["subscribers"]["long_poll"] == 1);
    drop(client);
    server.stats_when(|stats| stats["subscribers"]["long_poll"] == 0);
}

#[test]
fn the_feed_is_the_same_on_each_path() {
    let server = Server::start(&[]);
    let items = contract::Feed::get().items();
    let mut client = open_stream(&server, "/feed/sse?after=2", "");
    for (id, item) in (1..).zip(items).skip(2) {
        let item = str::from_utf8(item).expect("JSON is UTF-8");
        assert_eq!(read_chunk(&mut client), format!("id: {id}\ndata: {item}\n\n"));
    }
    assert_eq!(read_chunk(&mut client), "");
    client.send(b"GET /feed HTTP/1.1\r\n\r\n");
    let whole = serde_json::from_slice::<serde_json::Value>(&contract::Feed::get().array()).expect("JSON");
    assert_eq!(client.read_answer(), (200, whole));

    let mut client = server.open("/feed/ws");
    for item in items {
        assert_eq!(client.read_text().as_bytes(), item);
    }
    assert_eq!(client.read_close(), Some(1000));
}

#[test]
fn a_countdown_counts_down_or_says_why_not() {
    let server = Server::start(&[]);
    let mut client = server.open("/ws/countdown");
    for (count, next) in [("2", "1"), ("1", "0"), ("9007199254740992", "9007199254740991")] {
        client.send_frame(Opcode::Text, format!("{{\"count\":{count}}}").as_bytes());
        assert_eq!(client.read_text(), format!("{{\"count\":{next}}}"));
    }
    client.send_frame(Opcode::Text, b"{\"count\":0}");
    assert_eq!(client.read_close(), Some(1008));
}
