//! Clients that are slow, rude, or gone.

mod common;

use std::io::Write as _;
use std::time::Duration;

use common::{HANGS, Server, frame, upgrade};
use framing::Opcode;
use serde_json::json;
use socket2::SockRef;

#[test]
fn says_who_it_is() {
    let server = Server::start(&["--workers", "3"]);
    let version = env!("CARGO_PKG_VERSION");
    let about = json!({"contender": "ceiling", "framework": "none", "version": version, "workers": 3});
    assert_eq!(server.request("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), (200, about));
}

#[test]
fn refuses_what_the_contract_does_not_name() {
    let server = Server::start(&["--publication-bytes", "100"]);
    let long_head = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    for (status, request) in [
        (404, "GET /nowhere HTTP/1.1\r\n\r\n"),
        (405, "GET /publish HTTP/1.1\r\n\r\n"),
        (405, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        (405, "POST /ws/echo HTTP/1.1\r\n\r\n"),
        (400, "GET /ws/echo HTTP/1.1\r\n\r\n"),
        (400, "POST /publish HTTP/1.1\r\nContent-Length: 1\r\n\r\n\u{0}GARBAGE\r\n\r\n"),
        (400, "not HTTP at all\r\n\r\n"),
        (413, "POST /publish HTTP/1.1\r\nContent-Length: 101\r\n\r\n"),
        (413, "POST /publish HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"),
        (431, &long_head),
    ] {
        // A body of one NUL is a publication; the garbage after it is what is refused.
        let mut client = server.connect();
        client.send(request.as_bytes());
        let mut answer = client.read_answer();
        if answer.0 == 202 {
            answer = client.read_answer();
        }
        assert_eq!(answer.0, status, "{request}");
        assert!(answer.1["error"].is_string(), "{request}: {}", answer.1);
    }
    let mut client = server.connect();
    client.send(b"POST /publish HTTP/1.1\r\nContent-Length: 2\r\n\r\n\xff\xff");
    assert_eq!(client.read_answer().0, 400, "not UTF-8");
}

#[test]
fn a_connection_is_kept_until_it_asks_otherwise() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send("GET /stats HTTP/1.1\r\n\r\n".repeat(1000).as_bytes());
    for _ in 0..1000 {
        assert_eq!(client.read_answer().0, 200);
    }
    client.send(b"GET /stats HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert_eq!(client.read_answer().0, 200);
    client.read_end();
}

/// A client that asks for leave to send its body gets it.
#[test]
fn a_body_that_waits_for_100_is_let_in() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send(b"POST /publish HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send(b"hi");
    assert_eq!(client.read_answer().0, 202);
}

/// The reason of a refusal arrives, though the server closes while the client still sends.
#[test]
fn a_refusal_survives_what_was_not_read() {
    let server = Server::start(&[]);
    for _ in 0..5 {
        let mut client = server.open("/ws/echo");
        client.send(b"\x82\xff\0\0\0\0\x01\0\0\0\0\0\0\0");
        client.send(&vec![0; 2_000_000]);
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(client.read_close(), Some(1009));
    }
}

/// What a client that does not read can have sent is what buffers hold, not what it likes.
#[test]
fn a_client_that_does_not_read_is_not_read() {
    let server = Server::start(&[]);
    let mut client = server.open("/ws/echo");
    client.stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let message = frame(true, Opcode::Binary, &vec![7; 100_000]);
    let limit = 100_000_000;
    let mut sent = 0;
    while sent < limit {
        match client.stream.write(&message[sent % message.len()..]) {
            Ok(bytes) => sent += bytes,
            Err(_) => break,
        }
    }
    assert!(sent < limit, "the server took it all");
    // It is still there for others, and for this one once it reads.
    assert_eq!(server.publish("x").0, 202);
    for _ in 0..sent / message.len() {
        assert_eq!(client.read_frame().1.len(), 100_000);
    }
}

#[test]
fn half_requests_hold_up_nobody() {
    let server = Server::start(&[]);
    let request = upgrade("/ws/echo");
    let waiting: Vec<_> = (0..2000)
        .map(|n| {
            let mut client = server.connect();
            client.send(&request.as_bytes()[..n % request.len()]);
            client
        })
        .collect();
    let mut client = server.open("/ws/echo");
    client.send_frame(Opcode::Text, b"hello");
    assert_eq!(client.read_text(), "hello");
    // And each of them may go on where it stopped.
    for (n, mut half) in waiting.into_iter().enumerate().step_by(100) {
        half.send(&request.as_bytes()[n % request.len()..]);
        assert!(half.read_head().starts_with("HTTP/1.1 101 "));
    }
}

/// Subscribers that vanish, with a reset or in the middle of a delivery, are not counted any more.
#[test]
fn resets_leave_nothing_behind() {
    let server = Server::start(&[]);
    let mut survivor = server.open("/ws/broadcast");
    for round in 1..=5 {
        let doomed: Vec<_> = (0..50).map(|_| server.open("/ws/broadcast")).collect();
        for (n, client) in doomed.iter().enumerate() {
            if n % 2 == 0 {
                SockRef::from(&client.stream).set_linger(Some(Duration::ZERO)).unwrap();
            }
        }
        let publishing = std::thread::scope(|scope| {
            let publishing = scope.spawn(|| (0..20).all(|_| server.publish("x").0 == 202));
            drop(doomed);
            publishing.join()
        });
        assert!(publishing.is_ok_and(|published| published));
        for n in 0..20 {
            let id = (round - 1) * 20 + n + 1;
            assert_eq!(survivor.read_text(), format!(r#"{{"id":{id},"data":"x"}}"#));
        }
        server.stats_when(|stats| stats["subscribers"]["websocket"] == 1);
    }
}

/// Its last word may be half a message: it is answered, and then dropped.
#[test]
fn a_client_that_sends_no_more_is_answered() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send(b"GET /stats HTTP/1.1\r\n\r\nGET /sta");
    client.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(client.read_answer().0, 200);
    client.read_end();
}

/// The default action of the signal ends it at once.
#[test]
fn sigterm_ends_it() {
    let server = Server::start(&[]);
    let _client = server.open("/ws/broadcast");
    assert!(server.ends_on_sigterm(HANGS));
}
