//! A connection over a pair of sockets: nothing happens that the test has not asked for.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::os::unix::net::UnixStream;

use contract::{Limits, Settings, Timing};
use framing::{Header, Opcode};
use rustix::event::epoll::EventFlags;

use super::{After, Connection, Desk};
use crate::new_app;
use crate::output::Output;

const WINDOW: usize = 8;

/// A connection with its client, after the answer to the client's first bytes.
fn connected(hello: &[u8]) -> (Connection, UnixStream, Desk) {
    let (ours, mut client) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    client.set_nonblocking(true).unwrap();
    let limits = Limits {
        publication_bytes: 65_536,
        echo_bytes: 1 << 20,
        replay_window: NonZeroUsize::new(WINDOW).unwrap(),
        poll_bytes: 65_536,
    };
    let host = Ipv4Addr::LOCALHOST.into();
    let app = new_app(&Settings {
        host,
        port: 9001,
        workers: NonZeroUsize::MIN,
        processes: NonZeroUsize::MIN,
        limits,
        timing: Timing::default(),
    });
    let mut desk = Desk { app, input: vec![0; 65_536].into(), output: Output::default() };
    let mut connection = Connection::new(ours.into());
    client.write_all(hello).unwrap();
    assert_eq!(connection.on_event(EventFlags::IN | EventFlags::OUT, &mut desk), After::Wait);
    (connection, client, desk)
}

fn upgrade(path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// What has come, and whether that is the end.
fn read_what_is_there(client: &mut UnixStream, into: &mut Vec<u8>) -> bool {
    match client.read_to_end(into) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            false
        }
    }
}

#[test]
fn a_subscriber_that_lags_gets_what_was_begun_and_then_the_reason() {
    let (mut connection, mut client, mut desk) = connected(&upgrade("/ws/broadcast"));
    let body = "z".repeat(50_000);
    let mut published = 0;
    while !connection.is_done() {
        assert!(published < 1000, "it never lagged");
        assert_eq!(desk.app.publish(None, body.as_bytes()).status, 202);
        published += 1;
        assert_eq!(connection.deliver(&mut desk), After::Wait);
    }
    let stats = desk.app.hub().stats();
    assert_eq!((stats.dropped.lagged, stats.subscribers.websocket), (1, 0));

    let mut bytes = Vec::new();
    while !read_what_is_there(&mut client, &mut bytes) {
        assert_eq!(connection.on_event(EventFlags::OUT, &mut desk), After::Wait);
    }
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    let mut rest = &bytes[head..];
    let mut ids = 0;
    loop {
        let (header, length) = Header::decode(rest).unwrap().unwrap();
        let (payload, after) = rest[length..].split_at(header.payload_bytes as usize);
        rest = after;
        if header.opcode == Opcode::Close {
            assert_eq!(payload[..2], 1013_u16.to_be_bytes());
            break;
        }
        ids += 1;
        assert!(payload.starts_with(format!(r#"{{"id":{ids},"#).as_bytes()));
    }
    assert!(rest.is_empty(), "something followed the close");
    assert!(ids + WINDOW < published, "{ids} of {published}");
}

#[test]
fn nothing_is_read_while_something_is_unsent() {
    let (mut connection, mut client, mut desk) = connected(&upgrade("/ws/echo"));
    let mut message = Vec::new();
    Header { fin: true, opcode: Opcode::Binary, mask: Some([0; 4]), payload_bytes: 50_000 }
        .encode(&mut message);
    message.resize(message.len() + 50_000, 7);
    let stream = message.repeat(100);

    // The client writes as much as it can, until neither side moves.
    let mut written = 0;
    let mut moved = true;
    while moved {
        moved = false;
        while let Ok(bytes) = client.write(&stream[written..]) {
            written += bytes;
            moved = true;
            assert!(written < stream.len(), "it is read without end");
        }
        connection.on_event(EventFlags::IN, &mut desk);
    }
    assert_eq!(connection.turn(&mut desk), After::Wait, "it waits until the socket takes more");

    // Once the client reads, both go on, and nothing is lost.
    let mut echoed = Vec::new();
    loop {
        let is_end = read_what_is_there(&mut client, &mut echoed);
        assert!(!is_end);
        if let Ok(bytes) = client.write(&stream[written..]) {
            written += bytes;
        }
        let after = connection.on_event(EventFlags::IN | EventFlags::OUT, &mut desk);
        if written == stream.len() && after == After::Wait {
            read_what_is_there(&mut client, &mut echoed);
            break;
        }
    }
    let head = echoed.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(echoed.len() - head, stream.len() - 4 * 100, "as long as what was sent, but for the masks");
}

#[test]
fn an_idle_connection_is_small() {
    assert!(size_of::<Connection>() <= 256, "{} bytes", size_of::<Connection>());
}
