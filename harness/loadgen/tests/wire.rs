//! Bytes and segments on the wire: they must be those that the protocols ask for, to the byte.

mod server;

use std::net::SocketAddr;

use loadgen::{FeedTransport, Measurement, Transport, Wire, Workload};
use server::{
    Do, Script, broadcast, connect, countdown, counted, counted_message, echo, feeds, load, measure, serve,
    switching, xhr,
};

/// Eight connections or so; all went well.
fn drive(target: SocketAddr, workload: Workload) -> (Measurement, Wire) {
    let (measurement, _) = measure(&load(target, 2, workload));
    assert!(measurement.errors.is_empty() && measurement.connections.lost == 0, "{:?}", measurement.errors);
    let wire = measurement.wire.expect("the kernel counts");
    assert!(wire.messages >= measurement.messages && wire.messages > 0);
    (measurement, wire)
}

/// How many bytes each message took to the server and back, exactly.
fn per_message(wire: &Wire) -> (u64, u64) {
    let exact = |bytes: u64| {
        assert_eq!(bytes % wire.messages, 0, "{wire:?}");
        bytes / wire.messages
    };
    (exact(wire.to_server.bytes), exact(wire.to_client.bytes))
}

#[test]
fn a_message_over_http_takes_its_request_and_its_answer() {
    let target = serve(Script::default());
    let (measurement, wire) = drive(target, xhr(8));
    let request = format!("GET /xhr?count=123456789 HTTP/1.1\r\nHost: {target}\r\n\r\n");
    let expected = (request.len() as u64, counted(123_456_789).len() as u64);
    assert_eq!(per_message(&wire), expected);
    // A connection over HTTP has none but those of TCP's handshake.
    assert_eq!((wire.opening.to_server.bytes, wire.opening.to_client.bytes), (0, 0));
    assert_eq!(wire.opening.to_client.segments, measurement.connections.established);
    assert!(wire.to_server.segments >= wire.messages && wire.to_client.segments >= wire.messages);
}

#[test]
fn a_message_over_a_websocket_takes_its_frames_whatever_came_before_it() {
    let target = serve(Script::default());
    // A header of two bytes, and a mask of four to the server.
    for stagger in [0, 100_000] {
        let mut workload = echo(8, 2, 64);
        let Workload::Echo { stagger_bytes, .. } = &mut workload else { panic!("an echo") };
        *stagger_bytes = stagger;
        assert_eq!(per_message(&drive(target, workload).1), (70, 66), "after {stagger} bytes");
    }
    let steps =
        Script { reply: Box::new(|_, _, message| Do::Send(counted_message(message))), ..Script::default() };
    let (_, wire) = drive(serve(steps), countdown(8, 9, Transport::Websocket));
    assert_eq!(per_message(&wire), (17, 13));
}

#[test]
fn opening_and_closing_connections_are_told_apart() {
    let target = serve(Script::default());
    let (measurement, wire) = drive(target, connect(8, 3, Transport::Websocket));
    let connections = measurement.connections.established;
    assert_eq!(wire.messages, 3 * connections);
    // `{"count":123456789}`, and a close with its code, framed as above.
    assert_eq!(wire.to_server.bytes, wire.messages * (19 + 6) + connections * (2 + 6));
    assert_eq!(wire.to_client.bytes, wire.messages * (19 + 2) + connections * (2 + 2));
    let accepted = switching("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=").len() as u64;
    assert_eq!(wire.opening.to_client.bytes, connections * accepted);
    assert!(wire.opening.to_server.bytes > connections * 100);
}

#[test]
fn a_feed_by_websocket_takes_its_upgrade_and_an_answer_to_each_close() {
    // Whose end comes with it.
    let target = serve(Script::default());
    let (measurement, wire) = drive(target, feeds(8, FeedTransport::Websocket));
    let request = format!(
        "GET /feed/ws HTTP/1.1\r\nHost: {target}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let bytes = request.len() as u64 + (2 + 6);
    assert_eq!(wire.to_server.bytes, measurement.connections.established * bytes);
}

#[test]
fn a_subscriber_sends_nothing() {
    let (_, wire) = drive(serve(Script::default()), broadcast(8, 1, None));
    assert_eq!(wire.to_server.bytes, 0);
    assert!(wire.to_client.bytes > 100 * wire.messages);
}
