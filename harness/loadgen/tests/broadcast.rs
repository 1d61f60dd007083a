//! Broadcast against servers that keep the contract, and against some that do not.

mod server;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use framing::Opcode;
use loadgen::{Delivery, Measurement, Phase};
use server::{Do, Script, accepted, answer, broadcast, causes, delivery, frame, load, measure, serve};

const SUBSCRIBERS: u64 = 10;

fn assert_all_arrived(measurement: &Measurement) {
    let delivery = measurement.delivery.expect("a broadcast");
    assert_eq!(measurement.errors, causes([]));
    assert_eq!((measurement.connections.established, measurement.connections.lost), (SUBSCRIBERS, 0));
    assert_eq!(measurement.connect.count(), SUBSCRIBERS);
    assert_eq!(delivery.publications, measurement.sent);
    assert_eq!(delivery.expected, delivery.publications * SUBSCRIBERS);
    assert_eq!(delivery.reach(), Some(1.0));
    assert_eq!((delivery.duplicates, delivery.out_of_order), (0, 0));
    assert_eq!(measurement.latency.count(), delivery.received);
    assert!(measurement.messages > 0);
}

#[test]
fn a_closed_loop_reaches_everyone() {
    for (publishers, threads) in [(1, 1), (3, 1), (1, 2), (3, 2), (2, 16)] {
        let address = serve(Script::default());
        let (measurement, _) =
            measure(&load(address, threads, broadcast(SUBSCRIBERS as usize, publishers, None)));
        assert_all_arrived(&measurement);
        // Each publisher has one publication out at each end of the measured time.
        let outstanding = publishers as u64 * SUBSCRIBERS;
        let delivery = measurement.delivery.expect("a broadcast");
        assert!(measurement.messages.abs_diff(delivery.expected) <= outstanding);
        assert!(delivery.publications > 10, "a loop sleeps that should have been woken");
    }
}

#[test]
fn an_open_loop_sends_exactly_what_was_asked_for() {
    for (publishers, threads, rate) in [(1, 1, 100), (3, 1, 1000), (4, 2, 1000), (2, 1, 7)] {
        let address = serve(Script::default());
        let workload = broadcast(SUBSCRIBERS as usize, publishers, Some(rate));
        let mut load = load(address, threads, workload);
        load.timing.warmup_s = 0.0;
        let (measurement, phases) = measure(&load);
        assert_all_arrived(&measurement);
        assert_eq!(
            phases.last(),
            Some(&Phase::Drain),
            "the measured time ends, though nothing is waited for"
        );
        let until_the_end = f64::from(rate) * load.timing.seconds;
        assert_eq!(measurement.sent, until_the_end.ceil() as u64);
    }
}

#[test]
fn an_open_loop_does_not_slow_down_with_the_server() {
    let script = Script {
        receipt: Box::new(|id, subscribers| {
            if id == 10 {
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
            Do::Send(accepted(id, subscribers))
        }),
        ..Script::default()
    };
    let mut load = load(serve(script), 1, broadcast(SUBSCRIBERS as usize, 1, Some(1000)));
    load.timing.warmup_s = 0.0;
    let (measurement, _) = measure(&load);
    assert_all_arrived(&measurement);
    assert_eq!(measurement.sent, 300);
    // Those that came due during the pause count from then: a share of them waited half of it or more.
    let late = measurement.latency.quantile_ns(0.8).expect("there are deliveries");
    assert!(late > 50_000_000, "{late} ns");
}

/// An open loop to a server that delivers so. It asserts that all was sent.
fn drive(deliver: impl Fn(u64, usize, &str) -> Vec<u8> + Send + Sync + 'static) -> (Measurement, Delivery) {
    let deliver = Box::new(move |id, subscriber, data: &str| Do::Send(deliver(id, subscriber, data)));
    let script = Script { deliver, ..Script::default() };
    let mut load = load(serve(script), 1, broadcast(SUBSCRIBERS as usize, 1, Some(1000)));
    load.timing.warmup_s = 0.0;
    load.timing.patience_s = 1.0;
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.sent, 300);
    assert_eq!(measurement.connections.established, SUBSCRIBERS);
    let delivery = measurement.delivery.expect("a broadcast");
    assert_eq!(delivery.expected, 3000);
    (measurement, delivery)
}

#[test]
fn one_delivery_in_a_thousand_is_missed() {
    let number = AtomicU64::new(0);
    let (measurement, of_measured) = drive(move |id, _, data| match number.fetch_add(1, SeqCst) % 1000 {
        500 => Vec::new(),
        _ => delivery(id, data),
    });
    assert_eq!(measurement.errors, causes([("a delivery that never came", 3)]));
    assert_eq!(of_measured.received, 2997);
    assert_eq!(measurement.connections.lost, 0);
}

#[test]
fn the_last_delivery_is_missed_too() {
    let (measurement, of_measured) = drive(|id, subscriber, data| match (id, subscriber) {
        (300, 4) => Vec::new(),
        _ => delivery(id, data),
    });
    assert_eq!(measurement.errors, causes([("a delivery that never came", 1)]));
    assert_eq!(of_measured.received, 2999);
}

#[test]
fn a_delivery_that_comes_twice_is_counted_once() {
    let (measurement, of_measured) = drive(|id, subscriber, data| match (id, subscriber) {
        (100, 4) => delivery(id, data).repeat(2),
        _ => delivery(id, data),
    });
    assert_eq!(measurement.errors, causes([("a delivery that came again", 1)]));
    assert_eq!((of_measured.received, of_measured.duplicates), (3000, 1));
}

#[test]
fn deliveries_out_of_order_are_received() {
    let held = std::sync::Mutex::new(Vec::new());
    let (measurement, of_measured) = drive(move |id, subscriber, data| {
        let mut held = held.lock().expect("no test panics in here");
        let mut bytes = delivery(id, data);
        match (id, subscriber) {
            (100, 4) => std::mem::replace(&mut *held, bytes),
            (101, 4) => {
                bytes.append(&mut held);
                bytes
            }
            _ => bytes,
        }
    });
    assert_eq!(measurement.errors, causes([("a delivery out of order", 1)]));
    assert_eq!((of_measured.received, of_measured.out_of_order), (3000, 1));
}

#[test]
fn wrong_deliveries_are_told_by_their_cause() {
    let (measurement, of_measured) = drive(|id, subscriber, data| match (id, subscriber) {
        (100, 4) => delivery(id, &data.replace(&data[99..], "-")),
        // Its id cannot be trusted, so that the publication is missed beside it.
        (100, 5) => frame(Opcode::Binary, &delivery(id, data)[2..]),
        _ => delivery(id, data),
    });
    assert_eq!(
        measurement.errors,
        causes([
            ("a delivery that differs from what was published", 1),
            ("a message that is no delivery", 1),
            ("a delivery that never came", 1),
        ])
    );
    assert_eq!(of_measured.received, 2998);
}

#[test]
fn a_subscriber_that_is_closed_is_lost_and_the_rest_goes_on() {
    for rate in [Some(1000), None] {
        let script = Script {
            deliver: Box::new(|id, subscriber, data| {
                Do::Send(match (id, subscriber) {
                    (50, 4) => frame(Opcode::Close, b"\x03\xf5fell too far behind"),
                    (51.., 4) => Vec::new(),
                    _ => delivery(id, data),
                })
            }),
            ..Script::default()
        };
        let (measurement, _) = measure(&load(serve(script), 2, broadcast(SUBSCRIBERS as usize, 1, rate)));
        assert_eq!(measurement.errors, causes([("closed 1013: fell too far behind", 1)]));
        assert_eq!((measurement.connections.established, measurement.connections.lost), (SUBSCRIBERS, 1));
        let delivery = measurement.delivery.expect("a broadcast");
        let reach = delivery.reach().expect("publications");
        assert!((0.9..1.0).contains(&reach), "{reach}");
        assert!(measurement.messages > 0);
    }
}

#[test]
fn answers_to_publications_are_told_by_their_cause() {
    let script = Script {
        receipt: Box::new(|id, subscribers| {
            Do::Send(match id {
                10 => answer(413, r#"{"error":"too big"}"#),
                11 => answer(202, "thanks"),
                12 => accepted(id, subscribers - 1),
                _ => accepted(id, subscribers),
            })
        }),
        ..Script::default()
    };
    let (measurement, _) = measure(&load(serve(script), 1, broadcast(SUBSCRIBERS as usize, 1, Some(200))));
    assert_eq!(
        measurement.errors,
        causes([
            ("a publication answered with HTTP 413", 1),
            ("a 202 without a receipt", 1),
            ("a receipt of fewer subscribers than there are", 1),
        ])
    );
}

#[test]
fn without_its_publisher_a_broadcast_ends_early() {
    let script = Script {
        receipt: Box::new(|id, subscribers| {
            Do::Send(match id {
                ..10 => accepted(id, subscribers),
                _ => b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
            })
        }),
        ..Script::default()
    };
    let mut load = load(serve(script), 2, broadcast(SUBSCRIBERS as usize, 1, None));
    load.timing.seconds = 60.0;
    let (measurement, _) = measure(&load);
    assert!(measurement.seconds < 60.0);
    assert_eq!(measurement.errors, causes([("publisher: malformed answer: not HTTP/1.1", 1)]));
    assert_eq!(measurement.connections.lost, 0);
}
