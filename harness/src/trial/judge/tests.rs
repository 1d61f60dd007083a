use std::num::NonZeroU32;

use super::*;
use crate::trial::sample::measurement;

fn all_of(duration_us: u64) -> Distribution {
    let mut distribution = Distribution::new();
    distribution.record_ns(duration_us * 1000);
    distribution
}

/// Two seconds at 1,000/s, each reply after a millisecond.
fn open_loop() -> Measurement {
    let mut measurement = measurement();
    let Workload::Echo { ref mut arrivals, .. } = measurement.load.workload else { panic!("no echo") };
    arrivals.rate = NonZeroU32::new(1000);
    Measurement {
        sent: 2000,
        messages: 2000,
        latency: all_of(1000),
        lateness: Some(all_of(50)),
        cpu_us: 1e6,
        ..measurement
    }
}

#[test]
fn rate_and_latency_must_give_what_is_outstanding() {
    // 64 connections, each answered every millisecond for two seconds.
    let closed = Measurement { messages: 128_000, latency: all_of(1000), cpu_us: 1e6, ..measurement() };
    assert_eq!(doubts(&closed, 1), []);
    let fewer = Measurement { messages: 64_000, ..closed };
    assert!(matches!(doubts(&fewer, 1)[..], [Doubt::LittlesLawViolated { asked: 64.0, .. }]));
}

#[test]
fn what_littles_law_may_be_off_by_follows_from_the_measurement() {
    let off =
        |measurement: &Measurement| matches!(doubts(measurement, 1)[..], [Doubt::LittlesLawViolated { .. }]);
    // 64 connections, a millisecond, two seconds: the ends are 0.05 %, and the histogram 0.1 %. The generator was busy for
    // half of the time, so that it had half a message in hand.
    let at = |messages, cpu_us| Measurement { messages, latency: all_of(1000), cpu_us, ..measurement() };
    assert!(!off(&at(126_900, 1e6)) && off(&at(126_500, 1e6)) && off(&at(126_900, 1e4)));
    assert!(!off(&at(128_150, 1e6)) && off(&at(128_400, 1e6)), "it cannot have less than nothing in hand");
    // Latencies of a tenth of the measured time: its ends may be off by a tenth.
    let slow = |messages| Measurement { messages, latency: all_of(200_000), cpu_us: 1e4, ..measurement() };
    assert!(!off(&slow(600)) && off(&slow(560)));
}

#[test]
fn the_recorded_trials_keep_littles_law_and_would_not_if_a_tenth_of_them_were_missing() {
    let results = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let run = crate::results::latest(&results).expect("committed results").run;
    let violated = |measurement: &Measurement| {
        doubts(measurement, 1).iter().any(|doubt| matches!(doubt, Doubt::LittlesLawViolated { .. }))
    };
    let (mut closed, mut noticed) = (0, 0);
    for trial in &run.trials {
        let crate::results::Outcome::Measured(measured) = &trial.outcome else { continue };
        let measurement = &measured.measurement;
        if !matches!(measurement.load.workload, Workload::Echo { .. } if measurement.load.workload.arrivals().is_none())
        {
            continue;
        }
        closed += 1;
        assert!(!violated(measurement), "{:?}", doubts(measurement, 1));
        let messages = measurement.messages * 9 / 10;
        noticed += u32::from(violated(&Measurement { messages, ..measurement.clone() }));
    }
    assert!(closed > 20 && noticed * 2 > closed, "{noticed} of {closed}");
}

#[test]
fn wrong_payloads_are_told_from_other_errors() {
    let causes = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 3)).collect();
    let wrong = "a reply that differs from what was sent";
    let told = doubts(&Measurement { errors: causes(&[wrong, "reset"]), ..open_loop() }, 1);
    assert_eq!(
        told,
        [Doubt::WrongPayload { causes: causes(&[wrong]) }, Doubt::Errors { causes: causes(&["reset"]) }]
    );
    assert!(told.iter().all(Doubt::is_failure));
}

#[test]
fn verdicts_of_older_results_are_read_by_their_names_of_today() {
    let read = |text: &str| serde_json::from_str::<Doubt>(text).expect("a verdict");
    let littles = read(r#"{"littles-law": {"asked": 64.0, "implied": 32.0}}"#);
    assert_eq!(littles, Doubt::LittlesLawViolated { asked: 64.0, implied: 32.0, allowed: None });
    let probe = r#"{"ping_pong_ns": 65.0, "arithmetic_ns": 1.0, "system_call_ns": 100.0}"#;
    let changed = read(&format!("{{\"state-changed\": {{\"before\": {probe}, \"after\": {probe}}}}}"));
    assert!(matches!(changed, Doubt::Noisy(Noisy::StateChanged { .. })), "{changed:?}");
    let late = read(r#"{"read-late": {"read_s": 2.0, "measured_s": 1.0}}"#);
    assert_eq!(late, Doubt::Noisy(Noisy::ReadLate { read_s: 2.0, measured_s: 1.0 }));
    let disturbed = read(r#"{"disturbed": {"steal_share": 0.1, "other_share": 0.0}}"#);
    assert!(!disturbed.invalidates() && late.invalidates() && !late.is_failure());
    for doubt in [littles, changed, late, disturbed] {
        let text = serde_json::to_string(&doubt).expect("JSON");
        assert!(text.contains("littles-law-violated") || text.contains("noisy"), "{text}");
        assert_eq!(read(&text), doubt);
    }
    let died: crate::trial::Failure =
        serde_json::from_str(r#"{"died": {"status": "signal: 9"}}"#).expect("a failure");
    assert!(matches!(died, crate::trial::Failure::ServerDied { .. }));
}

#[test]
fn an_open_loop_that_was_kept_up_with_has_no_doubt() {
    assert_eq!(doubts(&open_loop(), 1), []);
}

#[test]
fn a_rate_is_missed_when_too_little_is_sent_or_comes_back() {
    for (sent, messages) in [(1900, 1900), (2000, 1700)] {
        let achieved = f64::from(messages) / 2.0;
        let missed = Measurement { sent, messages: messages as u64, ..open_loop() };
        assert_eq!(doubts(&missed, 1), [Doubt::RateMissed { offered: 1000.0, achieved }]);
    }
    // What is on its way at the end is no miss.
    assert_eq!(doubts(&Measurement { messages: 1950, ..open_loop() }, 1), []);
}

#[test]
fn a_tool_that_is_late_itself_is_told_and_counts() {
    let late = Measurement { lateness: Some(all_of(500)), ..open_loop() };
    let told = doubts(&late, 1);
    assert!(matches!(told[..], [Doubt::ToolLate { .. }]) && !told[0].invalidates(), "{told:?}");
}

#[test]
fn a_tool_that_uses_up_its_cores_is_the_limit_unless_it_spins() {
    let mut busy = Measurement { cpu_us: 1.9e6, ..open_loop() };
    let told = doubts(&busy, 1);
    assert!(matches!(told[..], [Doubt::ToolLimited { .. }]) && told[0].is_lower_bound(), "{told:?}");
    assert_eq!(doubts(&busy, 2), []);
    busy.load.spin = true;
    assert_eq!(doubts(&busy, 1), []);
}

#[test]
fn of_anothers_report_errors_are_told_and_a_tool_that_was_the_limit() {
    let report = ToolReport { requests: 10, seconds: 1.0, ..ToolReport::default() };
    let xhr = toml::from_str("workload = \"xhr\"\nconnections = 4").expect("a load");
    assert_eq!(outside_doubts(&xhr, &report, 0.85), []);
    assert_eq!(outside_doubts(&xhr, &report, 0.95), [Doubt::ToolLimited { busy_share: 0.95 }]);
    let causes = std::collections::BTreeMap::from([("timeout".to_owned(), 3)]);
    let erred = ToolReport { errors: causes.clone(), ..report };
    let told = outside_doubts(&xhr, &erred, 0.0);
    assert!(told == [Doubt::Errors { causes }] && told[0].invalidates());
}

#[test]
fn anothers_deliveries_keep_up_with_the_rate_asked_for() {
    let paced =
        "workload = \"broadcast\"\nsubscribers = 10\npayload_bytes = 64\nrate = 100\ntool = \"artillery\"";
    let paced = toml::from_str(paced).expect("a load");
    let report = |requests| ToolReport { requests, seconds: 2.0, ..ToolReport::default() };
    assert_eq!(outside_doubts(&paced, &report(2000), 0.0), []);
    let missed = Doubt::RateMissed { offered: 100.0, achieved: 80.0 };
    assert_eq!(outside_doubts(&paced, &report(1600), 0.0), [missed]);
}

#[test]
fn a_climb_is_the_servers_limit_a_lower_bound_or_nothing() {
    let climb = |stopped, held| {
        let capacity = Some(Capacity { stopped, held, steps: Vec::new() });
        doubts(&Measurement { capacity, ..measurement() }, 1)
    };
    assert_eq!(climb(Stop::Refused, 1000), []);
    let cut_off = climb(Stop::Reached, 1000);
    assert_eq!(cut_off, [Doubt::ClimbCutOff { stopped: Stop::Reached }]);
    assert!(cut_off[0].is_lower_bound() && !cut_off[0].invalidates());
    let none = climb(Stop::Refused, 0);
    assert!(none == [Doubt::NoneHeld { stopped: Stop::Refused }] && none[0].invalidates());
    assert!(climb(Stop::WrongReply, 1000).iter().any(Doubt::invalidates));
}
