//! Echo against servers that keep the contract.

mod server;

use std::num::NonZeroU64;
use std::thread;
use std::time::{Duration, Instant};

use loadgen::{Event, Kind, Phase, Timing, Warmup, Workload};
use server::{Do, Script, causes, echo, frame, load, measure, serve};

const PHASES: [Phase; 4] = [Phase::Connect, Phase::Warmup, Phase::Measure, Phase::Drain];

/// Everything that must be so if the server does right.
fn assert_clean(measurement: &loadgen::Measurement, connections: u64) {
    assert_eq!(measurement.errors, causes([]));
    assert_eq!(measurement.connections.failed, causes([]));
    assert_eq!(
        (measurement.connections.asked, measurement.connections.established),
        (connections, connections)
    );
    assert_eq!(measurement.connections.lost, 0);
    assert_eq!(measurement.connect.count(), connections);
    assert_eq!(measurement.latency.count(), measurement.messages);
    assert!(measurement.messages > 0);
    assert!(measurement.cpu_us > 0.0);
    assert!(measurement.delivery.is_none());
}

#[test]
fn every_size_kind_depth_and_number_of_loops_comes_back_right() {
    let address = serve(Script::default());
    for (connections, pipeline, payload_bytes, kind, threads) in [
        (1, 1, 64, Kind::Text, 1),
        (8, 1, 0, Kind::Text, 1),
        (8, 4, 1, Kind::Binary, 2),
        (5, 3, 15, Kind::Text, 2),
        (5, 3, 16, Kind::Binary, 8),
        (4, 2, 70_000, Kind::Text, 1),
        (2, 2, 1 << 20, Kind::Binary, 1),
    ] {
        let mut workload = echo(connections, pipeline, payload_bytes);
        if let Workload::Echo { kind: asked, .. } = &mut workload {
            *asked = kind;
        }
        let load = load(address, threads, workload);
        let (measurement, phases) = measure(&load);
        assert_clean(&measurement, connections as u64);
        assert_eq!(measurement.load, load);
        assert_eq!(measurement.seconds, 0.3);
        assert_eq!(phases, PHASES);
        // What was sent in the measured time came back in it, but for what was out at its two ends.
        let outstanding = (connections * pipeline) as u64;
        assert!(measurement.sent.abs_diff(measurement.messages) <= outstanding);
    }
}

#[test]
fn the_number_of_messages_in_the_system_is_the_rate_times_the_mean_latency() {
    for pipeline in [1, 8] {
        let load = load(serve(Script::default()), 1, echo(16, pipeline, 64));
        let (measurement, _) = measure(&load);
        let rate = measurement.messages as f64 / measurement.seconds;
        let in_system = rate * measurement.latency.mean_ns().expect("there are messages") / 1e9;
        let share = in_system / (16 * pipeline) as f64;
        // What is missing is the generator's own time between a reply and the next message; what is above
        // is of messages that were under way when the measured time began.
        assert!((0.7..=1.2).contains(&share), "{share} of what is outstanding");
    }
}

#[test]
fn replies_that_arrive_byte_by_byte_are_right() {
    let script = Script {
        reply: Box::new(|_, opcode, payload| Do::Trickle(frame(opcode, payload))),
        ..Script::default()
    };
    let (measurement, _) = measure(&load(serve(script), 1, echo(4, 2, 200)));
    assert_clean(&measurement, 4);
}

#[test]
fn pings_and_fragments_between_replies_harm_nothing() {
    let script = Script {
        reply: Box::new(|_, opcode, payload| {
            let mut bytes = frame(framing::Opcode::Ping, b"still there?");
            let (start, end) = payload.split_at(payload.len() / 2);
            let mut first = frame(opcode, start);
            first[0] &= 0x7f;
            bytes.extend(first);
            bytes.extend(frame(framing::Opcode::Pong, b""));
            bytes.extend(frame(framing::Opcode::Continuation, end));
            Do::Send(bytes)
        }),
        ..Script::default()
    };
    let (measurement, _) = measure(&load(serve(script), 1, echo(4, 2, 200)));
    assert_clean(&measurement, 4);
}

#[test]
fn before_the_load_and_after_it_the_connections_are_open_and_nothing_is_sent() {
    const SETTLE: Duration = Duration::from_millis(100);
    let mut load = load(serve(Script::default()), 2, echo(4, 1, 64));
    load.timing = Timing { warmup_s: 0.0, settle_s: SETTLE.as_secs_f64(), ..load.timing };
    let mut began = Vec::new();
    let measurement = loadgen::run(&load, |event| {
        if let Event::Phase(phase) = event {
            began.push((phase, Instant::now()));
        }
    });
    let ended = Instant::now();
    assert_clean(&measurement.expect("a measurement"), 4);
    let (phases, times): (Vec<Phase>, Vec<Instant>) = began.into_iter().unzip();
    assert_eq!(phases, PHASES);
    assert!(times[2] - times[1] >= SETTLE && ended - times[3] >= SETTLE);
}

#[test]
fn a_warm_up_ends_when_the_load_is_steady_and_the_measured_time_stays_as_long() {
    let mut load = load(serve(Script::default()), 2, echo(8, 1, 64));
    load.timing = Timing { warmup_s: 0.5, warmup_max_s: 10.0, seconds: 0.2, ..load.timing };
    let (measurement, phases) = measure(&load);
    assert_clean(&measurement, 8);
    assert_eq!(phases, PHASES);
    assert_eq!(measurement.seconds, 0.2);
    assert_eq!(measurement.windows.len(), 4);
    assert_eq!(measurement.windows.iter().sum::<u64>(), measurement.messages);
    let warmup = measurement.warmup.expect("a warm-up");
    assert!(warmup.seconds >= 0.5, "{warmup:?}");
    assert_eq!(warmup.steady, Some(warmup.seconds < 10.0), "{warmup:?}");
}

#[test]
fn a_warm_up_without_a_reply_lasts_until_its_limit() {
    let reply = |_: u64, opcode, payload: &[u8]| {
        thread::sleep(Duration::from_millis(900));
        Do::Send(frame(opcode, payload))
    };
    let script = Script { reply: Box::new(reply), ..Script::default() };
    let mut load = load(serve(script), 1, echo(2, 1, 16));
    load.timing = Timing { warmup_s: 0.1, warmup_max_s: 0.7, seconds: 0.5, ..load.timing };
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.warmup, Some(Warmup { seconds: 0.7, steady: Some(false) }));
    assert_eq!(measurement.errors, causes([]));
}

#[test]
fn without_a_limit_a_warm_up_lasts_for_its_time() {
    let (measurement, _) = measure(&load(serve(Script::default()), 1, echo(2, 1, 16)));
    assert_eq!(measurement.warmup, Some(Warmup { seconds: 0.05, steady: None }));
}

#[test]
fn a_load_of_a_number_of_messages_sends_them_exactly_and_ends() {
    for (threads, connections, pipeline) in [(1, 1, 1), (2, 5, 3)] {
        let mut workload = echo(connections, pipeline, 64);
        if let Workload::Echo { messages, stagger_bytes, .. } = &mut workload {
            (*messages, *stagger_bytes) = (NonZeroU64::new(20), 20_000);
        }
        let mut load = load(serve(Script::default()), threads, workload);
        // Far beyond a test's patience: only the messages can end it.
        load.timing = Timing { warmup_s: 0.0, seconds: 3_600.0, ..load.timing };
        let (measurement, _) = measure(&load);
        let connections = connections as u64;
        assert_clean(&measurement, connections);
        assert_eq!((measurement.sent, measurement.messages), (20 * connections, 20 * connections));
        assert!(measurement.seconds < load.timing.seconds);
    }
}
