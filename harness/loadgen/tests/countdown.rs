//! Countdowns, against servers that keep the contract and against some that do not.

mod server;

use framing::Opcode;
use loadgen::{Measurement, Transport};
use server::{Do, Script, causes, countdown, counted, counted_message, frame, load, measure, serve};

/// Eight clients. It asserts that all were connected.
fn drive(script: Script, threads: usize, from: u64, transport: Transport) -> Measurement {
    let mut load = load(serve(script), threads, countdown(8, from, transport));
    load.timing.patience_s = 1.0;
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.connections.established, 8);
    assert_eq!(measurement.latency.count(), measurement.messages);
    measurement
}

fn over_websocket(reply: impl Fn(u64, &[u8]) -> Do + Send + Sync + 'static) -> Script {
    Script { reply: Box::new(move |number, _, message| reply(number, message)), ..Script::default() }
}

#[test]
fn every_step_and_every_whole_countdown_is_counted() {
    let right = || over_websocket(|_, message| Do::Send(counted_message(message)));
    let trickled = over_websocket(|_, message| Do::Trickle(counted_message(message)));
    for (measurement, from) in [
        (drive(right(), 1, 5, Transport::Websocket), 5),
        (drive(right(), 2, 1, Transport::Websocket), 1),
        (drive(trickled, 1, 5, Transport::Websocket), 5),
        (drive(Script::default(), 1, 5, Transport::Xhr), 5),
        (drive(Script::default(), 3, 1, Transport::Xhr), 1),
    ] {
        assert_eq!((measurement.errors, measurement.connections.lost), (causes([]), 0));
        let total = measurement.total.expect("countdowns have a time");
        // But for those that the measured time begins or ends amid.
        assert!(total.count() > 0 && (total.count() * from).abs_diff(measurement.messages) <= 8 * from);
        assert!(measurement.messages > 0 && measurement.service.is_none() && measurement.lateness.is_none());
    }
}

#[test]
fn a_countdown_that_is_longer_than_the_time_is_finished_in_the_drain() {
    // Steps of 20 ms: thirty of them are twice the measured time.
    let slow = over_websocket(|_, message| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        Do::Send(counted_message(message))
    });
    let mut load = load(serve(slow), 1, countdown(2, 30, Transport::Websocket));
    load.timing.warmup_s = 0.0;
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.errors, causes([]));
    assert_eq!(measurement.total.expect("countdowns have a time").count(), 2);
    assert!(measurement.messages < 60, "what came in the drain is no message of the measured time");
}

#[test]
fn a_server_that_stops_leaves_countdowns_unfinished() {
    let stops = over_websocket(|number, message| match number {
        100 => Do::Last(Vec::new()),
        _ => Do::Send(counted_message(message)),
    });
    let measurement = drive(stops, 1, 5, Transport::Websocket);
    assert_eq!(measurement.errors, causes([("a countdown that was not finished in time", 1)]));
}

#[test]
fn wrong_answers_are_told_by_their_cause() {
    let wrong = |bytes: Vec<u8>| {
        let script = over_websocket(move |number, message| match number {
            100 => Do::Send(bytes.clone()),
            _ => Do::Send(counted_message(message)),
        });
        drive(script, 1, 5, Transport::Websocket)
    };
    for (bytes, cause, lost) in [
        (frame(Opcode::Text, br#"{"count":77}"#), "an answer that differs from the right one", 0),
        (frame(Opcode::Binary, br#"{"count":1}"#), "an answer that differs from the right one", 0),
        (vec![0xc1, 0], "garbage: a reserved bit is set", 1),
        (frame(Opcode::Close, b"\x03\xf0no"), "closed 1008: no", 1),
    ] {
        let measurement = wrong(bytes);
        assert_eq!((measurement.errors, measurement.connections.lost), (causes([(cause, 1)]), lost));
    }
    let twice = Script {
        count: Box::new(|number, count| Do::Send(counted(count).repeat(if number == 100 { 2 } else { 1 }))),
        ..Script::default()
    };
    let measurement = drive(twice, 1, 5, Transport::Xhr);
    assert_eq!(measurement.errors, causes([("an answer to no request", 1)]));
}
