//! Countdowns by XHR, against servers that keep the contract and against some that do not.

mod server;

use loadgen::Measurement;
use server::{Do, Script, answer, causes, counted, load, measure, serve, xhr};

/// Eight connections to a server that answers so. It asserts that all were opened.
fn drive(threads: usize, count: impl Fn(u64, u64) -> Do + Send + Sync + 'static) -> Measurement {
    let mut load = load(serve(Script { count: Box::new(count), ..Script::default() }), threads, xhr(8));
    load.timing.patience_s = 1.0;
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.connections.established, 8);
    assert_eq!(measurement.latency.count(), measurement.messages);
    assert!(measurement.messages > 0, "the others go on");
    measurement
}

#[test]
fn every_right_answer_is_counted_however_it_arrives() {
    let chunked = |_, count: u64| {
        let digits = (count - 1).to_string();
        Do::Send(
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{{\"count\":\r\n{:x}\r\n{digits}}}\r\n0\r\n\r\n",
                digits.len() + 1
            )
            .into_bytes(),
        )
    };
    let measurements = [
        drive(1, |_, count| Do::Send(counted(count))),
        drive(2, |_, count| Do::Send(counted(count))),
        drive(1, |_, count| Do::Trickle(counted(count))),
        drive(1, chunked),
    ];
    for measurement in measurements {
        assert_eq!(measurement.errors, causes([]));
        assert_eq!(measurement.connections.lost, 0);
        assert_eq!(measurement.connect.count(), 8);
        // What was sent in the measured time was answered in it, but for what was out at its two ends.
        assert!(measurement.sent.abs_diff(measurement.messages) <= 8);
        let in_series: u64 = measurement.series.iter().map(|second| second.messages).sum();
        assert_eq!(in_series, measurement.messages);
        assert!(
            measurement.service.is_none() && measurement.lateness.is_none() && measurement.delivery.is_none()
        );
    }
}

/// Sends this in place of the hundredth answer.
fn in_place_of_one(bytes: impl Fn(u64) -> Do + Send + Sync + 'static) -> Measurement {
    drive(1, move |number, count| if number == 100 { bytes(count) } else { Do::Send(counted(count)) })
}

#[test]
fn wrong_answers_are_told_by_their_cause() {
    for (bytes, cause) in [
        (answer(503, "busy"), "a request answered with HTTP 503"),
        (answer(200, r#"{"count":1}"#), "an answer that differs from the right one"),
        (answer(200, ""), "an answer that differs from the right one"),
    ] {
        let measurement = in_place_of_one(move |_| Do::Send(bytes.clone()));
        assert_eq!(measurement.errors, causes([(cause, 1)]));
        assert_eq!(measurement.connections.lost, 0);
    }
    let measurement = in_place_of_one(|count| Do::Send(counted(count).repeat(2)));
    assert_eq!(measurement.errors, causes([("an answer to no request", 1)]));
}

#[test]
fn what_is_no_http_loses_one_connection_by_its_cause() {
    for (bytes, cause) in [
        (b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), "malformed answer: not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), "malformed answer: no Content-Length"),
        (
            [b"HTTP/1.1 200 OK\r\nX: ", &[b'x'; 20_000][..]].concat(),
            "malformed answer: a head longer than 16 KiB",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n".to_vec(),
            "malformed answer: a body that is too long",
        ),
    ] {
        let measurement = in_place_of_one(move |_| Do::Send(bytes.clone()));
        assert_eq!(measurement.errors, causes([(cause, 1)]));
        assert_eq!(measurement.connections.lost, 1);
    }
    for length in [0, 1, 20, 43] {
        let measurement = in_place_of_one(move |count| Do::Reset(counted(count)[..length].to_vec()));
        assert_eq!((measurement.errors, measurement.connections.lost), (causes([("reset", 1)]), 1));
    }
}

#[test]
fn half_an_answer_and_then_silence_is_an_answer_that_never_came() {
    for length in [0, 1, 20, 43] {
        let measurement = in_place_of_one(move |count| Do::Last(counted(count)[..length].to_vec()));
        assert_eq!(measurement.errors, causes([("no answer", 1)]));
        assert_eq!(measurement.connections.lost, 0);
    }
}
