//! The feed, from servers that keep the contract and from some that do not.

mod server;

use loadgen::{FeedTransport, Measurement};
use server::{Do, Script, answer, causes, feed, feeds, load, measure, serve};

const CLIENTS: u64 = 4;
/// Over plain HTTP.
const BY_EACH: [FeedTransport; 2] = [FeedTransport::Xhr, FeedTransport::Sse];

fn drive(
    transport: FeedTransport,
    threads: usize,
    feed: impl Fn(u64, bool) -> Do + Send + Sync + 'static,
) -> Measurement {
    let target = serve(Script { feed: Box::new(feed), ..Script::default() });
    let mut load = load(target, threads, feeds(CLIENTS as usize, transport));
    load.timing.patience_s = 1.0;
    measure(&load).0
}

fn assert_right(measurement: &Measurement) {
    assert_eq!(measurement.errors, causes([]));
    assert_eq!((measurement.connections.established, measurement.connections.lost), (CLIENTS, 0));
    assert!(measurement.messages > 0 && measurement.sent.abs_diff(measurement.messages) <= CLIENTS);
    let first = measurement.first_item.as_ref().expect("of a feed");
    assert_eq!((first.count(), measurement.latency.count()), (measurement.messages, measurement.messages));
    assert!(first.max_ns() <= measurement.latency.max_ns());
}

#[test]
fn each_client_fetches_the_feed_again_and_again() {
    for transport in BY_EACH {
        for threads in [1, 2, 16] {
            assert_right(&drive(transport, threads, |_, by_sse| Do::Send(feed(by_sse))));
        }
    }
}

/// In place of the tenth feed a client gets something else.
fn in_place_of_one(
    transport: FeedTransport,
    other: impl Fn(&[u8]) -> Do + Send + Sync + 'static,
) -> Measurement {
    let measurement =
        drive(
            transport,
            1,
            move |number, by_sse| if number == 10 { other(&feed(by_sse)) } else { Do::Send(feed(by_sse)) },
        );
    assert!(measurement.messages > 0, "the others go on");
    measurement
}

#[test]
fn a_wrong_feed_is_told_by_its_cause() {
    for transport in BY_EACH {
        let changed = |right: &[u8]| {
            let text = String::from_utf8_lossy(right).replacen("word", "wrod", 1);
            Do::Send(text.into_bytes())
        };
        let measurement = in_place_of_one(transport, changed);
        assert_eq!(measurement.errors, causes([("a feed that differs from the first one fetched", 1)]));
        let measurement = in_place_of_one(transport, |_| Do::Send(answer(503, "{}")));
        assert_eq!(measurement.errors, causes([("a request answered with HTTP 503", 1)]));
        assert_eq!(measurement.connections.lost, 0);
    }
}

#[test]
fn a_reset_or_garbage_at_any_point_loses_one_connection() {
    for transport in BY_EACH {
        for length in [0, 1, 60, 10_000] {
            let measurement = in_place_of_one(transport, move |right| Do::Reset(right[..length].to_vec()));
            assert_eq!((measurement.errors, measurement.connections.lost), (causes([("reset", 1)]), 1));
        }
        let measurement = in_place_of_one(transport, |_| Do::Send(b"220 smtp ready\r\n".to_vec()));
        let cause = "malformed answer: not HTTP/1.1";
        assert_eq!((measurement.errors, measurement.connections.lost), (causes([(cause, 1)]), 1));
    }
}

#[test]
fn half_a_feed_and_then_silence_is_a_feed_without_an_end() {
    for transport in BY_EACH {
        for length in [0, 60, 10_000] {
            let measurement = in_place_of_one(transport, move |right| Do::Last(right[..length].to_vec()));
            assert_eq!(measurement.errors, causes([("a feed that did not come to its end", 1)]));
        }
    }
}

#[test]
fn over_a_websocket_each_feed_takes_a_connection() {
    for threads in [1, 2] {
        let measurement = drive(FeedTransport::Websocket, threads, |_, by_sse| Do::Send(feed(by_sse)));
        assert_eq!(measurement.errors, causes([]));
        let connections = &measurement.connections;
        assert_eq!((connections.established, connections.lost), (connections.asked, 0));
        assert!(connections.established >= measurement.messages && measurement.messages > 0);
        let first = measurement.first_item.as_ref().expect("of a feed");
        assert_eq!(
            (first.count(), measurement.latency.count()),
            (measurement.messages, measurement.messages)
        );
    }
}

#[test]
fn an_upgrade_that_is_refused_loses_the_connection() {
    let script = Script { answer: Box::new(|_| Do::Send(answer(503, "busy"))), ..Script::default() };
    let mut load = load(serve(script), 1, feeds(CLIENTS as usize, FeedTransport::Websocket));
    load.timing.patience_s = 1.0;
    let (measurement, _) = measure(&load);
    assert_eq!(
        (measurement.errors, measurement.connections.lost),
        (causes([("HTTP 503", CLIENTS)]), CLIENTS)
    );
}

#[test]
fn a_server_without_a_feed_has_every_one_counted_as_wrong() {
    for transport in BY_EACH {
        let measurement = drive(transport, 1, |_, _| Do::Send(answer(404, "{}")));
        assert_eq!(measurement.messages, 0);
        assert_eq!(measurement.errors.keys().collect::<Vec<_>>(), ["a request answered with HTTP 404"]);
    }
}
