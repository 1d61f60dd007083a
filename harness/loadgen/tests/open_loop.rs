//! Open loops: what is sent is exact, and how long it takes counts from when it was meant to be sent.

mod server;

use std::thread::sleep;
use std::time::Duration;

use loadgen::{Load, Measurement, Process};
use server::{Do, Script, broadcast, causes, frame, load, measure, open_echo, serve};

/// What one measures that begins to count at once.
fn from_the_start(mut load: Load) -> Measurement {
    load.timing.warmup_s = 0.0;
    measure(&load).0
}

/// Everything that must be so if the server does right.
fn assert_whole(measurement: &Measurement, messages: u64) {
    assert_eq!(measurement.errors, causes([]));
    assert_eq!(measurement.sent, messages);
    assert_eq!(measurement.latency.count(), messages, "replies in the drain count too");
    for distribution in [&measurement.service, &measurement.lateness] {
        assert_eq!(distribution.as_ref().map(loadgen::Distribution::count), Some(messages));
    }
    assert!(measurement.messages <= messages);
    let in_series: u64 = measurement.series.iter().map(|second| second.messages).sum();
    assert_eq!((measurement.series.len(), in_series), (1, measurement.messages));
}

#[test]
fn exactly_what_was_asked_for_is_sent_whatever_sends_it() {
    let address = serve(Script::default());
    for (connections, threads, rate) in [(1, 1, 1000), (8, 1, 1000), (8, 2, 1000), (3, 16, 7), (5, 2, 997)] {
        let workload = open_echo(connections, rate, Process::Constant);
        let measurement = from_the_start(load(address, threads, workload));
        assert_whole(&measurement, (f64::from(rate) * 0.3).ceil() as u64);
    }
}

#[test]
fn a_poisson_process_is_the_same_for_any_number_of_loops() {
    let address = serve(Script::default());
    let sent = |threads| {
        let measurement = from_the_start(load(address, threads, open_echo(6, 1000, Process::Poisson)));
        assert_whole(&measurement, measurement.sent);
        measurement.sent
    };
    // 300 are expected; four standard deviations are 70.
    assert!(sent(1).abs_diff(300) < 70, "{}", sent(1));
    assert_eq!(sent(2), sent(1));
    assert_eq!(sent(3), sent(1));
}

#[test]
fn publications_come_by_a_poisson_process_too() {
    let mut workload = broadcast(4, 2, Some(500));
    if let loadgen::Workload::Broadcast { arrivals, .. } = &mut workload {
        arrivals.process = Process::Poisson;
        arrivals.seed = 1;
    }
    // A server each: this one notices late that subscribers are gone.
    let run = |threads| from_the_start(load(serve(Script::default()), threads, workload.clone()));
    let (one, two) = (run(1), run(2));
    assert_eq!((&one.errors, &two.errors), (&causes([]), &causes([])));
    assert_eq!(one.sent, two.sent);
    // 150 are expected; four standard deviations are 49.
    assert!(one.sent.abs_diff(150) < 49, "{}", one.sent);
    assert_eq!(one.lateness.as_ref().map(loadgen::Distribution::count), Some(one.sent));
    assert!(one.service.is_none(), "a delivery does not say when it was sent");
}

#[test]
fn what_waits_for_a_server_that_pauses_counts_from_its_intended_time() {
    let pause = Duration::from_millis(200);
    let script = Script {
        reply: Box::new(move |number, opcode, payload| {
            if number == 10 {
                sleep(pause);
            }
            Do::Send(frame(opcode, payload))
        }),
        ..Script::default()
    };
    let measurement = from_the_start(load(serve(script), 1, open_echo(1, 1000, Process::Constant)));
    assert_whole(&measurement, 300);
    // Of the messages that came due in the pause, two thirds of all, one half waited half of it or more.
    let late = measurement.latency.quantile_ns(0.75).expect("there are replies");
    assert!(late > 50_000_000, "{late} ns");
}

#[test]
fn the_latency_is_the_service_time_and_the_lateness() {
    for (spin, spin_us) in [(false, 0), (false, 500), (true, 0)] {
        let script = Script {
            reply: Box::new(|_, opcode, payload| {
                sleep(Duration::from_millis(5));
                Do::Send(frame(opcode, payload))
            }),
            ..Script::default()
        };
        let mut load = load(serve(script), 2, open_echo(16, 500, Process::Poisson));
        (load.spin, load.spin_us) = (spin, spin_us);
        let measurement = from_the_start(load);
        assert_whole(&measurement, measurement.sent);
        let mean = |distribution: &loadgen::Distribution| distribution.mean_ns().expect("there are replies");
        let (latency, service) = (mean(&measurement.latency), measurement.service.as_ref().map(mean));
        let (service, lateness) =
            (service.expect("echo"), measurement.lateness.as_ref().map(mean).expect("open"));
        assert!(service >= 5e6, "{service} ns");
        // The histograms keep three digits.
        assert!((latency / (service + lateness) - 1.0).abs() < 0.01, "{latency} = {service} + {lateness}");
    }
}

#[test]
fn a_record_from_before_there_were_open_loops_of_echo_reads() {
    let measurement = from_the_start(load(serve(Script::default()), 1, server::echo(2, 1, 64)));
    let mut record = serde_json::to_value(&measurement).expect("JSON");
    let fields = record.as_object_mut().expect("an object");
    assert!(fields.remove("series").is_some_and(|series| series[0]["messages"] == measurement.messages));
    for absent in ["service", "lateness"] {
        assert!(!fields.contains_key(absent), "{absent} is of open loops");
    }
    assert_eq!(
        fields["load"]["workload"],
        serde_json::json!({"echo": {"connections": 2, "pipeline": 1, "payload_bytes": 64, "kind": "text"}})
    );
    let read: Measurement = serde_json::from_value(record).expect("a measurement");
    assert_eq!(read.load, measurement.load);
    assert_eq!(read.latency, measurement.latency);
    assert!(read.series.is_empty());
}
