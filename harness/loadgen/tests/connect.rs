//! Connections that are opened and closed again and again.

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use framing::Opcode;
use loadgen::{Measurement, Transport, Workload};
use server::{Do, Script, answer, causes, connect, counted, frame, load, measure, serve, switching};

/// Eight places.
fn drive(script: Script, threads: usize, messages: u32, transport: Transport) -> Measurement {
    let mut load = load(serve(script), threads, connect(8, messages, transport));
    load.timing.patience_s = 1.0;
    measure(&load).0
}

/// A server that keeps the contract, and how many messages it has answered.
fn counting() -> (Script, Arc<AtomicU64>) {
    let answered = Arc::new(AtomicU64::new(0));
    let (echoed, counts) = (Arc::clone(&answered), Arc::clone(&answered));
    let script = Script {
        reply: Box::new(move |_, opcode, payload| {
            echoed.fetch_add(1, SeqCst);
            Do::Send(frame(opcode, payload))
        }),
        count: Box::new(move |_, count| {
            counts.fetch_add(1, SeqCst);
            Do::Send(counted(count))
        }),
        ..Script::default()
    };
    (script, answered)
}

#[test]
fn each_connection_has_its_messages_and_ends_cleanly_and_another_follows() {
    for (threads, messages, transport) in [
        (1, 1, Transport::Websocket),
        (2, 3, Transport::Websocket),
        (1, 1, Transport::Xhr),
        (2, 3, Transport::Xhr),
    ] {
        let (script, answered) = counting();
        let measurement = drive(script, threads, messages, transport);
        let connections = measurement.connections;
        assert_eq!((measurement.errors, connections.failed, connections.lost), (causes([]), causes([]), 0));
        assert!(connections.established > 16, "{transport}: {} opened", connections.established);
        assert_eq!(connections.asked, connections.established);
        assert_eq!(answered.load(SeqCst), connections.established * u64::from(messages), "{transport}");
        // The first of each place opened before the measured time.
        let opened = measurement.connect.count();
        assert!(opened > 0 && opened <= connections.established - 8, "{transport}: {opened}");
        assert_eq!(measurement.latency.count(), measurement.messages);
    }
}

#[test]
fn a_storm_opens_all_once_and_keeps_them() {
    let (script, answered) = counting();
    let mut load = load(serve(script), 2, connect(300, 1, Transport::Websocket));
    let Workload::Connect { storm, .. } = &mut load.workload else { panic!("a connect") };
    *storm = true;
    let (measurement, _) = measure(&load);
    let connections = &measurement.connections;
    assert_eq!((connections.asked, connections.established, connections.lost), (300, 300, 0));
    assert_eq!((&measurement.errors, measurement.connect.count()), (&causes([]), 300));
    assert!(answered.load(SeqCst) >= measurement.messages && measurement.messages > 0);
    let all_open_ns = measurement.all_open_ns.expect("all are open");
    assert!(all_open_ns >= measurement.connect.min_ns().expect("a connection"));
}

/// All places come to the same end, at their first close.
fn closed_by(close: impl Fn(&[u8]) -> Do + Send + Sync + 'static) -> Measurement {
    drive(Script { close: Box::new(close), ..Script::default() }, 1, 1, Transport::Websocket)
}

#[test]
fn a_server_that_does_not_close_is_told_by_what_it_does() {
    for (measurement, cause, lost) in [
        (closed_by(|_| Do::Last(Vec::new())), "a connection that the server did not end", 0),
        (closed_by(|_| Do::Send(Vec::new())), "ended without a close", 8),
        (closed_by(|_| Do::Reset(Vec::new())), "reset", 8),
    ] {
        assert_eq!((measurement.errors, measurement.connections.lost), (causes([(cause, 8)]), lost));
        assert_eq!(measurement.connections.established, 8, "a place whose connection is lost stays empty");
    }
}

#[test]
fn a_server_that_waits_for_the_client_to_end_the_connection_is_not_waited_for() {
    let measurement = closed_by(|payload| Do::Last(frame(Opcode::Close, payload)));
    assert_eq!((measurement.errors, measurement.connections.lost), (causes([]), 0));
    assert!(measurement.connections.established > 16);
}

#[test]
fn connections_that_are_refused_later_on_are_counted_by_their_cause() {
    let upgrades = AtomicU64::new(0);
    let script = Script {
        answer: Box::new(move |accept| match upgrades.fetch_add(1, SeqCst) {
            0..20 => Do::Send(switching(accept)),
            _ => Do::Last(answer(503, "full")),
        }),
        ..Script::default()
    };
    let measurement = drive(script, 1, 1, Transport::Websocket);
    let connections = measurement.connections;
    assert_eq!((connections.established, connections.lost), (20, 0));
    assert_eq!((connections.failed, measurement.errors), (causes([("HTTP 503", 8)]), causes([])));
}

#[test]
fn connections_that_do_not_open_any_more_are_given_up_at_the_end() {
    let upgrades = AtomicU64::new(0);
    let script = Script {
        answer: Box::new(move |accept| match upgrades.fetch_add(1, SeqCst) {
            0..20 => Do::Send(switching(accept)),
            _ => Do::Last(Vec::new()),
        }),
        ..Script::default()
    };
    let connections = drive(script, 1, 1, Transport::Websocket).connections;
    assert_eq!((connections.established, connections.failed), (20, causes([("timed out", 8)])));
}
