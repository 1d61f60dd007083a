//! Echo against servers that do wrong: each fault is counted by its cause, and the rest goes on.

mod server;

use std::net::TcpListener;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use framing::Opcode;
use loadgen::{Connections, Measurement};
use server::{Do, Script, causes, echo, frame, load, measure, serve, switching};

/// Eight connections, two outstanding, to a server that replies so. It asserts that all were opened.
fn drive(reply: impl Fn(u64, Opcode, &[u8]) -> Do + Send + Sync + 'static) -> Measurement {
    let mut load = load(serve(Script { reply: Box::new(reply), ..Script::default() }), 1, echo(8, 2, 64));
    load.timing.patience_s = 1.0;
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.connections.established, 8);
    measurement
}

/// Sends this in place of the thousandth reply.
fn in_place_of_one(bytes: impl Fn(Opcode, &[u8]) -> Do + Send + Sync + 'static) -> Measurement {
    let measurement = drive(move |number, opcode, payload| match number {
        1000 => bytes(opcode, payload),
        _ => Do::Send(frame(opcode, payload)),
    });
    assert!(measurement.messages > 0, "the others go on");
    measurement
}

#[test]
fn a_changed_byte_is_one_wrong_reply() {
    let measurement = in_place_of_one(|opcode, payload| {
        let mut payload = payload.to_vec();
        payload[40] ^= 1;
        Do::Send(frame(opcode, &payload))
    });
    assert_eq!(measurement.errors, causes([("a reply that differs from what was sent", 1)]));
    assert_eq!(measurement.connections.lost, 0);
}

#[test]
fn a_reply_of_the_wrong_kind_is_one_wrong_reply() {
    let measurement = in_place_of_one(|_, payload| Do::Send(frame(Opcode::Binary, payload)));
    assert_eq!(measurement.errors, causes([("a reply of the wrong kind", 1)]));
    assert_eq!(measurement.connections.lost, 0);
}

#[test]
fn two_replies_out_of_order_are_two_wrong_replies() {
    // A single connection, so that the next reply is of the same one.
    let held = Mutex::new(Vec::new());
    let reply = move |number: u64, opcode, payload: &[u8]| {
        let mut held = held.lock().expect("no test panics in here");
        let mut bytes = frame(opcode, payload);
        if number == 1000 {
            *held = bytes;
            return Do::Send(Vec::new());
        }
        bytes.append(&mut held);
        Do::Send(bytes)
    };
    let load = load(serve(Script { reply: Box::new(reply), ..Script::default() }), 1, echo(1, 4, 64));
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.errors, causes([("a reply out of order", 2)]));
    assert_eq!(measurement.connections.lost, 0);
}

#[test]
fn a_reply_too_many_is_counted() {
    let measurement = in_place_of_one(|opcode, payload| {
        // Both that are outstanding are answered by then, so that a third and fourth answer none.
        Do::Send(frame(opcode, payload).repeat(4))
    });
    let wrong: u64 = measurement.errors.values().sum();
    assert!(measurement.errors.keys().all(|cause| cause.contains("order") || cause.contains("answers none")));
    assert!(wrong >= 3, "{:?}", measurement.errors);
    assert_eq!(measurement.connections.lost, 0);
}

#[test]
fn garbage_loses_one_connection_by_its_cause() {
    let mut masked = frame(Opcode::Text, b"");
    masked[1] |= 0x80;
    masked.extend([1, 2, 3, 4]);
    let mut reserved = frame(Opcode::Text, b"x");
    reserved[0] |= 0x40;
    for (bytes, cause) in [
        (masked, "garbage: the mask is on the wrong side"),
        (reserved, "garbage: a reserved bit is set"),
        (
            [&[0x81, 127][..], &(1u64 << 63).to_be_bytes()].concat(),
            "garbage: the length is not in its shortest form, or above 2^63-1",
        ),
        (frame(Opcode::Text, &[b'x'; 65]), "garbage: a message longer than any that was sent"),
        (frame(Opcode::Close, b"\x03\xf5come back later"), "closed 1013: come back later"),
        (frame(Opcode::Close, b""), "closed without a code"),
    ] {
        let measurement = in_place_of_one(move |_, _| Do::Send(bytes.clone()));
        assert_eq!(measurement.errors, causes([(cause, 1)]));
        assert_eq!(measurement.connections.lost, 1);
    }
}

#[test]
fn a_reset_at_any_point_of_a_reply_loses_one_connection() {
    for length in [0, 1, 2, 3, 17, 18, 65] {
        let measurement =
            in_place_of_one(move |opcode, payload| Do::Reset(frame(opcode, payload)[..length].to_vec()));
        assert_eq!((measurement.errors, measurement.connections.lost), (causes([("reset", 1)]), 1));
    }
}

#[test]
fn a_flood_of_pings_harms_nothing() {
    // More than are read at a time, and their pongs are more than a socket takes at a time.
    let measurement = in_place_of_one(|opcode, payload| {
        Do::Send([frame(Opcode::Ping, b"").repeat(200_000), frame(opcode, payload)].concat())
    });
    assert_eq!((measurement.errors, measurement.connections.lost), (causes([]), 0));
}

#[test]
fn half_a_header_and_then_silence_is_replies_that_never_came() {
    for bytes in [&[0x81][..], &[0x81, 127, 0, 0], &[0x81, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255]] {
        let measurement = in_place_of_one(move |_, _| Do::Last(bytes.to_vec()));
        assert_eq!(measurement.errors, causes([("no reply", 2)]));
        assert_eq!(measurement.connections.lost, 0);
    }
}

#[test]
fn a_server_that_falls_silent_is_left_in_bounded_time() {
    let began = Instant::now();
    let measurement = drive(|number, opcode, payload| match number {
        ..1000 => Do::Send(frame(opcode, payload)),
        _ => Do::Send(Vec::new()),
    });
    assert_eq!(measurement.errors, causes([("no reply", 16)]));
    assert_eq!(measurement.connections.lost, 0);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn when_all_connections_are_lost_it_ends_early() {
    let mut load = load(
        serve(Script {
            reply: Box::new(|number, opcode, payload| match number {
                ..100 => Do::Send(frame(opcode, payload)),
                _ => Do::Reset(Vec::new()),
            }),
            ..Script::default()
        }),
        2,
        echo(4, 1, 64),
    );
    load.timing.seconds = 60.0;
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.errors, causes([("reset", 4)]));
    assert_eq!(measurement.connections.lost, 4);
    assert!(measurement.seconds < 60.0);
}

/// Eight connections to a server that answers upgrades so.
fn upgrade(answer: impl Fn(&str) -> Do + Send + Sync + 'static) -> Connections {
    let mut load = load(serve(Script { answer: Box::new(answer), ..Script::default() }), 1, echo(8, 1, 64));
    load.timing.patience_s = 1.0;
    measure(&load).0.connections
}

#[test]
fn upgrades_that_are_not_accepted_are_told_by_their_cause() {
    let failed = |cause| Connections { asked: 8, failed: causes([(cause, 8)]), ..Connections::default() };
    let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";
    assert_eq!(upgrade(|_| Do::Send(busy.into())), failed("HTTP 503"));
    assert_eq!(upgrade(|accept| Do::Send(switching(&format!("x{accept}")))), failed("wrong accept key"));
    assert_eq!(upgrade(|_| Do::Send("220 smtp ready\r\n".into())), failed("malformed answer: not HTTP/1.1"));
    let endless = |_: &str| Do::Send([b"HTTP/1.1 101 S\r\nX: ", &[b'x'; 20_000][..]].concat());
    assert_eq!(upgrade(endless), failed("malformed answer: a head longer than 16 KiB"));
    for length in [0, 1, 60, 128] {
        assert_eq!(upgrade(move |accept| Do::Reset(switching(accept)[..length].to_vec())), failed("reset"));
    }
    for length in [0, 60] {
        assert_eq!(
            upgrade(move |accept| Do::Last(switching(accept)[..length].to_vec())),
            failed("timed out")
        );
    }
}

#[test]
fn those_that_were_accepted_go_on_without_those_that_were_not() {
    let number = Mutex::new(0);
    let answer = move |accept: &str| {
        let mut number = number.lock().expect("no test panics in here");
        *number += 1;
        Do::Send(if *number % 4 == 0 { "HTTP/1.1 503 S\r\n\r\n".into() } else { switching(accept) })
    };
    let load = load(serve(Script { answer: Box::new(answer), ..Script::default() }), 2, echo(8, 1, 64));
    let (measurement, _) = measure(&load);
    let connections = Connections { asked: 8, established: 6, failed: causes([("HTTP 503", 2)]), lost: 0 };
    assert_eq!(measurement.connections, connections);
    assert_eq!(measurement.errors, causes([]));
    assert!(measurement.messages > 0);
}

#[test]
fn a_port_without_a_listener_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a listener has an address");
    drop(listener);
    let (measurement, phases) = measure(&load(address, 2, echo(600, 1, 64)));
    let failed = Connections { asked: 600, failed: causes([("refused", 600)]), ..Connections::default() };
    assert_eq!(measurement.connections, failed);
    assert_eq!((measurement.sent, measurement.messages, measurement.seconds), (0, 0, 0.0));
    assert_eq!(phases, [loadgen::Phase::Connect]);
}
