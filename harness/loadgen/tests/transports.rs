//! Broadcast to subscribers by SSE, by long polling and by all transports in turn.

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use loadgen::{Connections, Measurement, Subscription};
use server::{
    Do, Script, accepted, answer, answer_to_poll, broadcast, by, causes, delivery, event, event_stream, load,
    measure, serve,
};

const SUBSCRIBERS: u64 = 10;
const PUBLICATIONS: u64 = 300;

fn assert_all_arrived(measurement: &Measurement) {
    let delivery = measurement.delivery.expect("a broadcast");
    assert_eq!(measurement.errors, causes([]));
    assert_eq!((measurement.connections.established, measurement.connections.lost), (SUBSCRIBERS, 0));
    assert_eq!(measurement.connect.count(), SUBSCRIBERS);
    assert_eq!(delivery.expected, measurement.sent * SUBSCRIBERS);
    assert_eq!((delivery.received, delivery.duplicates, delivery.out_of_order), (delivery.expected, 0, 0));
    assert_eq!(measurement.latency.count(), delivery.received);
    assert!(measurement.messages > 0);
}

const ALL: [Subscription; 3] = [Subscription::Sse, Subscription::LongPoll, Subscription::Mixed];

#[test]
fn a_closed_loop_reaches_everyone_by_each_transport() {
    for transport in ALL {
        for (publishers, threads) in [(1, 1), (3, 1), (3, 2), (2, 16)] {
            let workload = by(transport, broadcast(SUBSCRIBERS as usize, publishers, None));
            let (measurement, _) = measure(&load(serve(Script::default()), threads, workload));
            assert_all_arrived(&measurement);
            let delivery = measurement.delivery.expect("a broadcast");
            assert!(measurement.messages.abs_diff(delivery.expected) <= publishers as u64 * SUBSCRIBERS);
            assert!(delivery.publications > 10, "{transport}: a loop sleeps that should have been woken");
        }
    }
}

/// An open loop of so many publications, all of which are sent.
fn drive(transport: Subscription, threads: usize, script: Script) -> Measurement {
    let workload = by(transport, broadcast(SUBSCRIBERS as usize, 1, Some(1000)));
    let mut load = load(serve(script), threads, workload);
    load.timing.warmup_s = 0.0;
    load.timing.patience_s = 1.0;
    measure(&load).0
}

#[test]
fn an_open_loop_sends_exactly_what_was_asked_for_by_each_transport() {
    for transport in ALL {
        for threads in [1, 2] {
            let measurement = drive(transport, threads, Script::default());
            assert_all_arrived(&measurement);
            assert_eq!(measurement.sent, PUBLICATIONS);
        }
    }
}

#[test]
fn bytes_that_come_one_by_one_are_read_as_well() {
    let script = Script {
        deliver: Box::new(|id, _, data| Do::Trickle(delivery(id, data))),
        event: Box::new(|id, _, data| Do::Trickle(event(id, data))),
        polled: Box::new(|first, _, data| Do::Trickle(answer_to_poll(first, data))),
        ..Script::default()
    };
    let (measurement, _) =
        measure(&load(serve(script), 1, by(Subscription::Mixed, broadcast(SUBSCRIBERS as usize, 1, None))));
    assert_all_arrived(&measurement);
}

#[test]
fn transports_take_turns() {
    let seen = Arc::new(AtomicUsize::new(0));
    // A number of three digits: how many by WebSocket, by SSE and by long polling.
    let note = |weight| {
        let seen = Arc::clone(&seen);
        move || seen.fetch_add(weight, SeqCst)
    };
    let (socket, stream, poll) = (note(100), note(10), note(1));
    let script = Script {
        answer: Box::new(move |accept| {
            socket();
            Do::Send(server::switching(accept))
        }),
        head: Box::new(move || {
            stream();
            Do::Send(event_stream())
        }),
        polled: Box::new(move |first, _, data| {
            if first == 1 {
                poll();
            }
            Do::Send(answer_to_poll(first, data))
        }),
        ..Script::default()
    };
    assert_all_arrived(&drive(Subscription::Mixed, 2, script));
    assert_eq!(seen.load(SeqCst), 433);
}

#[test]
fn a_poll_without_news_is_followed_by_the_next() {
    let script = Script { poll_wait: Duration::from_millis(1), ..Script::default() };
    let measurement = drive(Subscription::LongPoll, 1, script);
    assert_all_arrived(&measurement);
}

#[test]
fn what_was_published_before_is_no_delivery_of_this_load() {
    let target = serve(Script::default());
    for _ in 0..2 {
        let workload = by(Subscription::Mixed, broadcast(SUBSCRIBERS as usize, 1, Some(100)));
        assert_all_arrived(&measure(&load(target, 1, workload)).0);
    }
}

#[test]
fn subscriptions_that_are_not_accepted_are_told_by_their_cause() {
    type Head = fn() -> Do;
    let heads: [(Head, &str); 6] = [
        (|| Do::Send(answer(503, "busy")), "HTTP 503"),
        (|| Do::Send(answer(200, "{}")), "malformed answer: no event stream"),
        (|| Do::Send(b"220 smtp ready\r\n".to_vec()), "malformed answer: not HTTP/1.1"),
        (
            || Do::Send([b"HTTP/1.1 200 OK\r\nX: ", &[b'x'; 20_000][..]].concat()),
            "malformed answer: a head longer than 16 KiB",
        ),
        (|| Do::Last(event_stream()[..60].to_vec()), "timed out"),
        (|| Do::Reset(event_stream()[..60].to_vec()), "reset"),
    ];
    for (head, cause) in heads {
        let measurement = drive(Subscription::Sse, 1, Script { head: Box::new(head), ..Script::default() });
        let failed = causes([(cause, SUBSCRIBERS)]);
        assert_eq!(
            measurement.connections,
            Connections { asked: SUBSCRIBERS, failed, ..Connections::default() }
        );
        assert_eq!(measurement.errors, causes([]));
    }
}

/// An open loop, in which the fifth subscriber gets these bytes in place of the hundredth publication, and nothing more.
fn in_place_of_one(
    transport: Subscription,
    bytes: impl Fn(&[u8]) -> Do + Send + Sync + 'static,
) -> Measurement {
    let bytes = Arc::new(bytes);
    let again = Arc::clone(&bytes);
    let script = Script {
        event: Box::new(move |id, subscriber, data| match (id, subscriber) {
            (100, 4) => bytes(&event(id, data)),
            (101.., 4) => Do::Send(Vec::new()),
            _ => Do::Send(event(id, data)),
        }),
        polled: Box::new(move |first, subscriber, data| match subscriber {
            4 if first + data.len() as u64 > 100 => again(&answer_to_poll(first, data)),
            _ => Do::Send(answer_to_poll(first, data)),
        }),
        receipt: Box::new(|id, _| Do::Send(accepted(id, SUBSCRIBERS as usize))),
        ..Script::default()
    };
    drive(transport, 1, script)
}

/// One subscriber was lost for this cause, and the nine others received everything.
fn assert_one_lost(measurement: &Measurement, cause: &str) {
    assert_eq!(measurement.errors, causes([(cause, 1)]));
    assert_eq!((measurement.connections.established, measurement.connections.lost), (SUBSCRIBERS, 1));
    let delivery = measurement.delivery.expect("a broadcast");
    assert_eq!((delivery.publications, delivery.expected), (PUBLICATIONS, PUBLICATIONS * SUBSCRIBERS));
    // A poll may have brought several at once.
    assert!(delivery.received >= delivery.expected - PUBLICATIONS, "{delivery:?}");
    assert!(delivery.received <= delivery.expected - (PUBLICATIONS - 99), "{delivery:?}");
}

#[test]
fn garbage_in_an_event_stream_loses_one_subscriber_by_its_cause() {
    let endless =
        |line: &str| format!("ffffffffffffff\r\n{}", line.repeat(100_000 / line.len())).into_bytes();
    for (bytes, cause) in [
        (b"zz\r\n".to_vec(), "malformed answer: the chunks of the body"),
        (b"5\r\ndata: x\r\n".to_vec(), "malformed answer: the chunks of the body"),
        (endless("x"), "garbage: a message longer than any that was sent"),
        (endless("data: x\n"), "garbage: a message longer than any that was sent"),
        (b"0\r\n\r\n".to_vec(), "the event stream ended"),
    ] {
        assert_one_lost(&in_place_of_one(Subscription::Sse, move |_| Do::Send(bytes.clone())), cause);
    }
}

#[test]
fn garbage_in_place_of_an_answer_loses_one_poll_by_its_cause() {
    for (bytes, cause) in [
        (b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), "malformed answer: not HTTP/1.1"),
        (answer(500, "{}"), "HTTP 500"),
        (answer(200, "[]"), "malformed answer: no array of publications"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n".to_vec(),
            "malformed answer: a body that is too long",
        ),
    ] {
        assert_one_lost(&in_place_of_one(Subscription::LongPoll, move |_| Do::Send(bytes.clone())), cause);
    }
}

#[test]
fn a_reset_at_any_point_of_a_delivery_loses_one_subscriber() {
    for transport in [Subscription::Sse, Subscription::LongPoll] {
        for length in [0, 1, 3, 50, 120] {
            let measurement = in_place_of_one(transport, move |right| Do::Reset(right[..length].to_vec()));
            assert_one_lost(&measurement, "reset");
        }
    }
}

#[test]
fn half_a_delivery_and_then_silence_is_deliveries_that_never_came() {
    for transport in [Subscription::Sse, Subscription::LongPoll] {
        for length in [0, 1, 3, 50, 120] {
            let measurement = in_place_of_one(transport, move |right| Do::Last(right[..length].to_vec()));
            assert_eq!(measurement.connections.lost, 0);
            let missed = PUBLICATIONS * SUBSCRIBERS - measurement.latency.count();
            assert!((PUBLICATIONS - 99..=PUBLICATIONS).contains(&missed), "{missed}");
            assert_eq!(measurement.errors, causes([("a delivery that never came", missed)]));
        }
    }
}

#[test]
fn wrong_deliveries_are_told_by_their_cause() {
    let script = Script {
        event: Box::new(|id, subscriber, data| {
            Do::Send(match (id, subscriber) {
                (100, 4) => event(id, &data.replace(&data[99..], "-")),
                // Its id cannot be trusted, so that the publication is missed beside it.
                (100, 5) => {
                    let wrong =
                        String::from_utf8(event(id, data)).expect("text").replace("id: 100", "id: 101");
                    wrong.into_bytes()
                }
                (100, 6) => event(id, data).repeat(2),
                _ => event(id, data),
            })
        }),
        ..Script::default()
    };
    let measurement = drive(Subscription::Sse, 1, script);
    assert_eq!(
        measurement.errors,
        causes([
            ("a delivery that differs from what was published", 1),
            ("a message that is no delivery", 1),
            ("a delivery that came again", 1),
            ("a delivery that never came", 1),
        ])
    );
    let delivery = measurement.delivery.expect("a broadcast");
    assert_eq!((delivery.received, delivery.duplicates), (PUBLICATIONS * SUBSCRIBERS - 2, 1));
}
