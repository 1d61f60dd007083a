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
    assert!(matches!(doubts(&fewer, 1)[..], [Doubt::LittlesLaw { asked: 64.0, .. }]));
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
