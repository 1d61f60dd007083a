//! Broadcast against servers that do wrong: each fault is counted by its cause, and the rest goes on.

mod server;

use framing::Opcode;
use loadgen::{Connections, Measurement};
use server::{Do, Script, accepted, broadcast, causes, delivery, frame, load, measure, serve, switching};

const SUBSCRIBERS: u64 = 10;
const PUBLICATIONS: u64 = 300;

/// An open loop of so many publications, one of which is received otherwise: by the fifth subscriber, which gets nothing more.
fn in_place_of_one(bytes: impl Fn(&[u8]) -> Do + Send + Sync + 'static) -> Measurement {
    drive(Script {
        deliver: Box::new(move |id, subscriber, data| match (id, subscriber) {
            (100, 4) => bytes(&delivery(id, data)),
            (101.., 4) => Do::Send(Vec::new()),
            _ => Do::Send(delivery(id, data)),
        }),
        // The server may notice before us that the subscriber is gone.
        receipt: Box::new(|id, _| Do::Send(accepted(id, SUBSCRIBERS as usize))),
        ..Script::default()
    })
}

fn drive(script: Script) -> Measurement {
    let mut load = load(serve(script), 1, broadcast(SUBSCRIBERS as usize, 1, Some(1000)));
    load.timing.warmup_s = 0.0;
    load.timing.patience_s = 1.0;
    measure(&load).0
}

/// One subscriber was lost for this cause, and the nine others received everything.
fn assert_one_lost(measurement: &Measurement, cause: &str) {
    assert_eq!(measurement.errors, causes([(cause, 1)]));
    assert_eq!((measurement.connections.established, measurement.connections.lost), (SUBSCRIBERS, 1));
    let delivery = measurement.delivery.expect("a broadcast");
    assert_eq!((delivery.publications, delivery.expected), (PUBLICATIONS, PUBLICATIONS * SUBSCRIBERS));
    assert_eq!(delivery.received, delivery.expected - (PUBLICATIONS - 99));
    assert_eq!(measurement.latency.count(), delivery.received);
}

#[test]
fn garbage_loses_one_subscriber_by_its_cause() {
    let mut masked = frame(Opcode::Text, b"");
    masked[1] |= 0x80;
    masked.extend([1, 2, 3, 4]);
    let mut reserved = frame(Opcode::Text, b"x");
    reserved[0] |= 0x40;
    // Of a frame that never ends no more is kept than any delivery has.
    let endless = [&[0x81, 127][..], &(1u64 << 62).to_be_bytes(), &[b'x'; 100_000]].concat();
    // Nor of fragments that never end.
    let mut fragment = frame(Opcode::Text, b"once upon a time");
    fragment[0] &= 0x7f;
    let mut fragments = fragment.clone();
    fragment[0] = 0;
    fragments.extend(fragment.repeat(1000));
    for (bytes, cause) in [
        (masked, "garbage: the mask is on the wrong side"),
        (reserved, "garbage: a reserved bit is set"),
        (
            [&[0x81, 127][..], &(1u64 << 63).to_be_bytes()].concat(),
            "garbage: the length is not in its shortest form, or above 2^63-1",
        ),
        (endless, "garbage: a message longer than any that was sent"),
        (fragments, "garbage: a message longer than any that was sent"),
        (frame(Opcode::Close, b""), "closed without a code"),
    ] {
        assert_one_lost(&in_place_of_one(move |_| Do::Send(bytes.clone())), cause);
    }
}

#[test]
fn a_reset_at_any_point_of_a_delivery_loses_one_subscriber() {
    for length in [0, 1, 2, 3, 50, 120] {
        assert_one_lost(&in_place_of_one(move |right| Do::Reset(right[..length].to_vec())), "reset");
    }
}

#[test]
fn half_a_delivery_and_then_silence_is_deliveries_that_never_came() {
    for length in [0, 1, 2, 3, 50, 120] {
        let measurement = in_place_of_one(move |right| Do::Last(right[..length].to_vec()));
        let missed = PUBLICATIONS - 99;
        assert_eq!(measurement.errors, causes([("a delivery that never came", missed)]));
        assert_eq!(measurement.connections.lost, 0);
        assert_eq!(measurement.latency.count(), PUBLICATIONS * SUBSCRIBERS - missed);
    }
}

#[test]
fn subscriptions_that_are_not_accepted_are_told_by_their_cause() {
    type Upgrade = fn(&str) -> Do;
    let answers: [(Upgrade, &str); 5] = [
        (|_| Do::Send(server::answer(503, "busy")), "HTTP 503"),
        (|accept| Do::Send(switching(&format!("x{accept}"))), "wrong accept key"),
        (|_| Do::Send(b"220 smtp ready\r\n".to_vec()), "malformed answer: not HTTP/1.1"),
        (|accept| Do::Last(switching(accept)[..60].to_vec()), "timed out"),
        (|accept| Do::Reset(switching(accept)[..60].to_vec()), "reset"),
    ];
    for (answer, cause) in answers {
        let measurement = drive(Script { answer: Box::new(answer), ..Script::default() });
        let failed = causes([(cause, SUBSCRIBERS)]);
        let connections = Connections { asked: SUBSCRIBERS, failed, ..Connections::default() };
        assert_eq!(measurement.connections, connections);
        assert_eq!(measurement.errors, causes([]));
    }
}

/// The publisher has its tenth publication answered so.
fn tenth_answer(answer: impl Fn(Vec<u8>) -> Do + Send + Sync + 'static) -> Measurement {
    drive(Script {
        receipt: Box::new(move |id, subscribers| match id {
            10 => answer(accepted(id, subscribers)),
            _ => Do::Send(accepted(id, subscribers)),
        }),
        ..Script::default()
    })
}

#[test]
fn a_reset_at_any_point_of_a_receipt_loses_the_publisher_and_no_subscriber() {
    for length in [0, 1, 20, 60] {
        let measurement = tenth_answer(move |right| Do::Reset(right[..length].to_vec()));
        assert_eq!(measurement.errors, causes([("publisher: reset", 1)]));
        assert_eq!(measurement.connections.lost, 0);
    }
}

#[test]
fn half_a_receipt_and_then_silence_is_publications_without_an_answer() {
    for length in [0, 1, 20, 60] {
        let measurement = tenth_answer(move |right| Do::Last(right[..length].to_vec()));
        assert_eq!(measurement.errors, causes([("no answer to a publication", PUBLICATIONS - 9)]));
        assert_eq!(measurement.connections.lost, 0);
    }
}
