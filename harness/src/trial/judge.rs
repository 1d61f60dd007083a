//! The judging: what speaks against a measurement.

use std::collections::BTreeMap;

use loadgen::{
    Arrivals, Capacity, Distribution, FeedPlan, FeedTransport, Measurement, Process, Stop, Workload,
    is_wrong_payload,
};

use super::steady::unsteady;
use super::{Doubt, Noisy};
use crate::machine::{CoreShares, CoreUse, Probe, Spent};
use crate::plan::{Load, Rate};
use crate::stats::is_other_state;
use crate::tool::ToolReport;

/// A tool busier than this share of its cores measures itself.
const TOOL_BUSY_SHARE: f64 = 0.9;
/// What a latency may be off by in the histogram, which keeps three digits.
const HISTOGRAM_SHARE: f64 = 0.001;
/// Of other closed loops than echo no trials are recorded yet that show what follows to be all.
const UNPROVEN_SHARE: f64 = 0.05;
/// More steal than this, or more load of others, is worth a note.
const STEAL_SHARE: f64 = 0.01;
const OTHER_SHARE: f64 = 0.05;
/// How far the times of the readings and of the measurement may differ: a share of them, and a moment for waking up.
const READ_SHARE: f64 = 0.02;
const READ_S: f64 = 0.05;
/// Another's tool is read from its start to its end, in which it does more than ask, and the server nothing.
const OUTSIDE_READ_S: f64 = 0.25;
/// How much of an offered rate must be achieved, but for what is on its way when the measured time ends.
const RATE_SHARE: f64 = 0.99;
const UNDER_WAY_S: f64 = 0.05;
/// A tool whose lateness is more than this share of the latency is a part of what it measures.
const LATE_SHARE: f64 = 0.1;

/// What speaks against a measurement.
#[must_use]
pub fn doubts(measurement: &Measurement, tool_cores: usize) -> Vec<Doubt> {
    if let Some(capacity) = &measurement.capacity {
        return climb_doubts(capacity, measurement);
    }
    let mut doubts = Vec::new();
    let connections = &measurement.connections;
    let kept = connections.established.saturating_sub(connections.lost);
    if kept < connections.asked {
        doubts.push(Doubt::Connections {
            asked: connections.asked,
            kept,
            causes: connections.failed.clone(),
        });
    }
    doubts.extend(errors(&measurement.errors));
    if let Some(delivery) = measurement.delivery
        && (delivery.received < delivery.expected || delivery.duplicates + delivery.out_of_order > 0)
    {
        let loadgen::Delivery { expected, received, duplicates, out_of_order, .. } = delivery;
        doubts.push(Doubt::Incomplete { expected, received, duplicates, out_of_order });
    }
    let Some(mean_ns) = measurement.latency.mean_ns() else {
        doubts.push(Doubt::Nothing);
        return doubts;
    };
    doubts.extend(match measurement.load.workload.arrivals() {
        Some(arrivals) => open_loop_doubt(measurement, &arrivals),
        None => littles_law(measurement, mean_ns),
    });
    // One that spins uses up its cores, whatever it has to do.
    let busy_share = measurement.cpu_us / (measurement.seconds * 1e6 * tool_cores as f64);
    if busy_share > TOOL_BUSY_SHARE && !measurement.load.spin {
        doubts.push(Doubt::ToolLimited { busy_share });
    }
    doubts.extend(unsteady(measurement).map(Doubt::NotSteady));
    doubts
}

/// What speaks against the report of another's load generator, which was so busy: of its errors and its own limit it can tell, of
/// lost connections, wrong answers and the load's steadiness it cannot.
pub(super) fn outside_doubts(load: &Load, report: &ToolReport, busy_share: f64) -> Vec<Doubt> {
    let errors = (!report.errors.is_empty()).then(|| Doubt::Errors { causes: report.errors.clone() });
    let limited = (busy_share > TOOL_BUSY_SHARE).then_some(Doubt::ToolLimited { busy_share });
    let missed = load.rate().and_then(|rate| {
        let Rate::PerSecond(offered) = rate else { return None };
        let receivers = if let Load::Broadcast { subscribers, .. } = load { subscribers.get() } else { 1 };
        let (offered, achieved) =
            (f64::from(offered.get()), report.requests as f64 / report.seconds / receivers as f64);
        // One more or less at the ends is no miss.
        (achieved + 1.0 / report.seconds < offered * RATE_SHARE)
            .then_some(Doubt::RateMissed { offered, achieved })
    });
    errors.into_iter().chain(limited).chain(missed).collect()
}

/// Connections that fail are what a climb is for: they are its end, and no error.
fn climb_doubts(capacity: &Capacity, measurement: &Measurement) -> Vec<Doubt> {
    let stopped = capacity.stopped;
    let wrong = matches!(stopped, Stop::WrongReply)
        .then(|| Doubt::WrongPayload { causes: measurement.errors.clone() });
    let none = (capacity.held == 0).then_some(Doubt::NoneHeld { stopped });
    let is_servers = matches!(
        stopped,
        Stop::Refused
            | Stop::Died
            | Stop::ConnectTooSlow
            | Stop::SweepTooSlow
            | Stop::WrongReply
            | Stop::ServerFileLimit
    );
    let cut_off = (!is_servers).then_some(Doubt::ClimbCutOff { stopped });
    [wrong, none, cut_off].into_iter().flatten().collect()
}

/// What went wrong on open connections: payloads, and everything else.
fn errors(causes: &BTreeMap<String, u64>) -> impl Iterator<Item = Doubt> {
    let (wrong, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
        causes.clone().into_iter().partition(|(cause, _)| is_wrong_payload(cause));
    let wrong = (!wrong.is_empty()).then_some(Doubt::WrongPayload { causes: wrong });
    wrong.into_iter().chain((!others.is_empty()).then_some(Doubt::Errors { causes: others }))
}

/// Closed loop: what is outstanding must be what rate and latency say (METHOD.md, "Little's law").
fn littles_law(measurement: &Measurement, mean_ns: f64) -> Option<Doubt> {
    let (clients, pipeline, unproven) = match measurement.load.workload {
        Workload::Echo { connections, pipeline, .. } => (connections.get(), pipeline.get(), 0.0),
        Workload::Xhr { connections }
        | Workload::Feed(FeedPlan {
            clients: connections,
            transport: FeedTransport::Xhr | FeedTransport::Sse,
        })
        | Workload::Countdown { clients: connections, .. } => (connections.get(), 1, UNPROVEN_SHARE),
        // Of a visit, and of a feed by WebSocket, the opening and the closing are no messages.
        Workload::Connect { .. }
        | Workload::Feed(_)
        | Workload::Broadcast { .. }
        | Workload::Chat(_)
        | Workload::Capacity(_) => {
            return None;
        }
    };
    let asked = (clients * pipeline) as f64;
    let implied = measurement.messages as f64 / measurement.seconds * mean_ns / 1e9;
    // A message that is under way at either end is counted whole there, or not at all.
    let ends = asked * mean_weighted_ns(&measurement.latency) / 1e9 / measurement.seconds;
    // Between a reply and the next message the generator has what one read brought, for the time that it takes.
    let in_hand = pipeline as f64 * measurement.cpu_us / 1e6 / measurement.seconds;
    let more = ends + asked * (HISTOGRAM_SHARE + unproven);
    let less = more + in_hand;
    (implied < asked - less || implied > asked + more).then_some(Doubt::LittlesLawViolated {
        asked,
        implied,
        allowed: Some((less, more)),
    })
}

/// The mean latency of those messages that are under way at some moment, in ns: long ones are met more often.
fn mean_weighted_ns(latency: &Distribution) -> f64 {
    let (sum, squares) = latency.counts().fold((0.0, 0.0), |(sum, squares), (ns, count)| {
        let (ns, count) = (ns as f64, count as f64);
        (sum + count * ns, squares + count * ns * ns)
    });
    if sum > 0.0 { squares / sum } else { 0.0 }
}

/// Open loop: was the rate kept up with, and if it was, by a tool that was in time?
fn open_loop_doubt(measurement: &Measurement, arrivals: &Arrivals) -> Option<Doubt> {
    let seconds = measurement.seconds;
    let sent = measurement.sent as f64;
    let meant = match arrivals.process {
        Process::Constant => f64::from(arrivals.rate?.get()) * seconds,
        // How many it is by chance, the errors tell of those that were never sent.
        Process::Poisson => sent,
    };
    let is_fan_out = measurement.load.workload.is_fan_out();
    let receivers = if is_fan_out { measurement.connections.established.max(1) as f64 } else { 1.0 };
    let answered = measurement.messages as f64 / receivers;
    // A message more or less at the ends of a short time is no miss, and neither is what is under way at the end.
    let is_missed =
        sent + 1.0 < meant * RATE_SHARE || answered + 1.0 < meant * (RATE_SHARE - UNDER_WAY_S / seconds);
    if is_missed {
        let (offered, achieved) = (meant / seconds, sent.min(answered) / seconds);
        return Some(Doubt::RateMissed { offered, achieved });
    }
    let p99_us = |times: &Distribution| times.quantile_ns(0.99).map(|ns| ns as f64 / 1e3);
    let lateness_p99_us = p99_us(measurement.lateness.as_ref()?)?;
    let latency_p99_us = p99_us(&measurement.latency)?;
    (lateness_p99_us > latency_p99_us * LATE_SHARE)
        .then_some(Doubt::ToolLate { lateness_p99_us, latency_p99_us })
}

/// What the machine did meanwhile that speaks against a measurement.
#[must_use]
pub fn disturbances(
    [before, after]: [Probe; 2],
    cores: Option<&[CoreUse; 2]>,
    server: &Spent,
    measurement: &Measurement,
    report: Option<&ToolReport>,
    all_cores: usize,
) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    // A climb is read from its first sweep to its end, connecting included.
    let is_climb = measurement.capacity.is_some();
    let (read_s, measured_s) = (server.seconds, measurement.seconds);
    let moment_s = if report.is_some() { OUTSIDE_READ_S } else { READ_S };
    if !is_climb && (read_s - measured_s).abs() > READ_SHARE * measured_s + moment_s {
        doubts.push(Doubt::Noisy(Noisy::ReadLate { read_s, measured_s }));
    }
    let changed = |read: fn(&Probe) -> f64| is_other_state(read(&before), read(&after));
    if changed(|probe| probe.ping_pong_ns.unwrap_or(1.0))
        || changed(|probe| probe.arithmetic_ns)
        || changed(|probe| probe.system_call_ns)
    {
        doubts.push(Doubt::Noisy(Noisy::StateChanged { before, after }));
    }
    if let Some(cores) = cores.filter(|_| !is_climb) {
        let time_s = server.seconds * all_cores as f64;
        let CoreShares { steal: steal_share, unaccounted: other_share, .. } =
            CoreShares::of(cores, time_s, server.cpu_us + measurement.cpu_us);
        if steal_share > STEAL_SHARE || other_share > OTHER_SHARE {
            let other_share = other_share.max(0.0);
            doubts.push(Doubt::Noisy(Noisy::Disturbed { steal_share, other_share }));
        }
    }
    doubts
}

#[cfg(test)]
mod tests;
