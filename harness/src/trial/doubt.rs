use std::collections::BTreeMap;
use std::fmt;

use loadgen::{Arrivals, Capacity, Distribution, Measurement, Process, Stop, Workload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SearchEnd;
use super::steady::{Unsteady, unsteady};
use crate::machine::{CoreShares, CoreUse, Probe, Spent};
use crate::stats::is_other_state;

/// A tool busier than this share of its cores measures itself.
const TOOL_BUSY_SHARE: f64 = 0.9;
/// How far Little's law may be off: the messages under way when counting begins and ends are seen on one
/// side only, and the histogram keeps three digits.
const LITTLE_TOLERANCE: f64 = 0.05;
/// More steal than this, or more load of others, is worth a note.
const STEAL_SHARE: f64 = 0.01;
const OTHER_SHARE: f64 = 0.05;
/// How far the times of the readings and of the measurement may differ: a share of them, and a moment for waking up.
const READ_SHARE: f64 = 0.02;
const READ_S: f64 = 0.05;
/// How much of an offered rate must be achieved, but for what is on its way when the measured time ends.
const RATE_SHARE: f64 = 0.99;
const UNDER_WAY_S: f64 = 0.05;
/// A tool whose lateness is more than this share of the latency is a part of what it measures.
const LATE_SHARE: f64 = 0.1;

/// Why a figure is less than it seems: typed, each with its evidence. A trial without one is valid.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// Not one message came back.
    Nothing,
    /// Something went wrong on a connection that was open.
    Errors {
        /// How often, by cause.
        causes: BTreeMap<String, u64>,
    },
    /// Connections could not be opened, or were lost.
    Connections {
        /// Asked for.
        asked: u64,
        /// Opened and kept.
        kept: u64,
        /// Not opened, by cause.
        causes: BTreeMap<String, u64>,
    },
    /// Not every publication reached every subscriber, once and in order.
    Incomplete {
        /// Deliveries expected.
        expected: u64,
        /// Deliveries received, once each.
        received: u64,
        /// Received again.
        duplicates: u64,
        /// Received late.
        out_of_order: u64,
    },
    /// Connections × outstanding messages differ from rate × mean latency.
    LittlesLaw {
        /// Messages outstanding, as asked for.
        asked: f64,
        /// As implied by rate and latency.
        implied: f64,
    },
    /// Open loop: less was sent than was meant to be, or less came back in the measured time, so that more and
    /// more is outstanding.
    RateMissed {
        /// Meant to be sent, a second.
        offered: f64,
        /// Sent or answered (echo), or delivered to each subscriber, a second: the least of them.
        achieved: f64,
    },
    /// Open loop: the tool itself was late to send, and the server took all. Both from the intended sending.
    ToolLate {
        /// 99th percentile to the actual sending, in µs.
        lateness_p99_us: f64,
        /// 99th percentile to the reply, in µs.
        latency_p99_us: f64,
    },
    /// The capacity was found under a doubt, and a share of it was then offered.
    Calibration(Box<Doubt>),
    /// A search did not end at the server's limit.
    SearchCutOff {
        /// But so.
        ended: SearchEnd,
    },
    /// Not the lowest level of a search was kept.
    NoLevelKept {
        /// The limit of the 99th percentile, in ms.
        until_p99_ms: u64,
    },
    /// The adding of connections did not end at the server's limit.
    ClimbCutOff {
        /// But so.
        stopped: Stop,
    },
    /// Not the connections of the first step were held.
    NoneHeld {
        /// Why not.
        stopped: Stop,
    },
    /// The tool used up its cores: the server may be able to do more.
    ToolLimited {
        /// CPU time of the tool ÷ time of its cores.
        busy_share: f64,
    },
    /// The load was not steady.
    NotSteady(Unsteady),
    /// The machine's speed changed during the trial.
    StateChanged {
        /// Before it.
        before: Probe,
        /// After it.
        after: Probe,
    },
    /// The harness was late to read what the server used, as when it was stopped: its figures are of another time.
    ReadLate {
        /// Between the readings, in seconds.
        read_s: f64,
        /// Measured by the tool, in seconds.
        measured_s: f64,
    },
    /// Others used the pinned cores, or the hypervisor took them away.
    Disturbed {
        /// Time taken away ÷ time of the cores.
        steal_share: f64,
        /// Time that neither server nor tool accounts for ÷ time of the cores.
        other_share: f64,
    },
    /// The server had to be killed after the trial.
    StoppedLate {
        /// The contract's limit, in seconds.
        within_s: f64,
    },
}

impl Doubt {
    /// Must the trial's figures be left out of the medians?
    #[must_use]
    pub fn invalidates(&self) -> bool {
        match self {
            Self::Calibration(doubt) => doubt.invalidates(),
            // To drop trials for how they went would narrow the intervals: one that is not steady stays, with a note.
            Self::NotSteady(_)
            | Self::ToolLimited { .. }
            | Self::ToolLate { .. }
            | Self::SearchCutOff { .. }
            | Self::ClimbCutOff { .. }
            | Self::StoppedLate { .. }
            | Self::Disturbed { .. } => false,
            _ => true,
        }
    }

    /// Can the server do more than its figure says, because something else was the limit?
    #[must_use]
    pub fn is_lower_bound(&self) -> bool {
        match self {
            Self::ToolLimited { .. } | Self::ClimbCutOff { .. } => true,
            Self::SearchCutOff { ended } => *ended != SearchEnd::Died,
            _ => false,
        }
    }

    /// Is it the server's or the load generator's fault, and not the machine's?
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.invalidates() && !matches!(self, Self::StateChanged { .. } | Self::ReadLate { .. })
    }
}

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
    if !measurement.errors.is_empty() {
        doubts.push(Doubt::Errors { causes: measurement.errors.clone() });
    }
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

/// Connections that fail are what a climb is for: they are its end, and no error.
fn climb_doubts(capacity: &Capacity, measurement: &Measurement) -> Vec<Doubt> {
    let stopped = capacity.stopped;
    let wrong =
        matches!(stopped, Stop::WrongReply).then(|| Doubt::Errors { causes: measurement.errors.clone() });
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

/// Closed loop: what is outstanding must be what rate and latency say.
fn littles_law(measurement: &Measurement, mean_ns: f64) -> Option<Doubt> {
    let asked = match measurement.load.workload {
        Workload::Echo { connections, pipeline, .. } => connections.get() * pipeline.get(),
        Workload::Xhr { connections } => connections.get(),
        Workload::Broadcast { .. } | Workload::Capacity(_) => return None,
    } as f64;
    let implied = measurement.messages as f64 / measurement.seconds * mean_ns / 1e9;
    ((implied / asked - 1.0).abs() > LITTLE_TOLERANCE).then_some(Doubt::LittlesLaw { asked, implied })
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
    let receivers = match measurement.load.workload {
        Workload::Broadcast { .. } => measurement.connections.established.max(1) as f64,
        _ => 1.0,
    };
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
    all_cores: usize,
) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    // A climb is read from its first sweep to its end, connecting included.
    let is_climb = measurement.capacity.is_some();
    let (read_s, measured_s) = (server.seconds, measurement.seconds);
    if !is_climb && (read_s - measured_s).abs() > READ_SHARE * measured_s + READ_S {
        doubts.push(Doubt::ReadLate { read_s, measured_s });
    }
    let changed = |read: fn(&Probe) -> f64| is_other_state(read(&before), read(&after));
    if changed(|probe| probe.ping_pong_ns.unwrap_or(1.0))
        || changed(|probe| probe.arithmetic_ns)
        || changed(|probe| probe.system_call_ns)
    {
        doubts.push(Doubt::StateChanged { before, after });
    }
    if let Some(cores) = cores.filter(|_| !is_climb) {
        let time_s = server.seconds * all_cores as f64;
        let CoreShares { steal: steal_share, unaccounted: other_share, .. } =
            CoreShares::of(cores, time_s, server.cpu_us + measurement.cpu_us);
        if steal_share > STEAL_SHARE || other_share > OTHER_SHARE {
            doubts.push(Doubt::Disturbed { steal_share, other_share: other_share.max(0.0) });
        }
    }
    doubts
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "not one message came back"),
            Self::Errors { causes } => write!(f, "errors: {}", listed(causes)),
            Self::Connections { asked, kept, causes } if causes.is_empty() => {
                write!(f, "{kept} of {asked} connections were kept")
            }
            Self::Connections { asked, kept, causes } => {
                write!(f, "{kept} of {asked} connections were kept: {}", listed(causes))
            }
            Self::Incomplete { expected, received, duplicates, out_of_order } => write!(
                f,
                "{received} of {expected} deliveries arrived, {duplicates} again, {out_of_order} out of order"
            ),
            Self::LittlesLaw { asked, implied } => write!(
                f,
                "{asked} messages should be outstanding, but rate × mean latency gives {implied:.1} (Little's law)"
            ),
            Self::RateMissed { offered, achieved } => {
                write!(f, "{achieved:.1}/s were achieved of {offered:.1}/s")
            }
            Self::ToolLate { lateness_p99_us, latency_p99_us } => write!(
                f,
                "the load generator was late itself: its 99th percentile is {lateness_p99_us:.0} µs of a latency of \
                 {latency_p99_us:.0} µs"
            ),
            Self::Calibration(doubt) => write!(f, "when the capacity was found, {doubt}"),
            Self::SearchCutOff { ended } => write!(f, "the search ended early: {ended}"),
            Self::NoLevelKept { until_p99_ms } => {
                write!(
                    f,
                    "not even at the lowest level was the 99th percentile within {until_p99_ms} ms and all answered"
                )
            }
            Self::ClimbCutOff { stopped } => {
                write!(f, "the server can hold at least this: the climb ended with {stopped}")
            }
            Self::NoneHeld { stopped } => {
                write!(f, "not the connections of the first step were held: {stopped}")
            }
            Self::ToolLimited { busy_share } => write!(
                f,
                "the load generator was busy {:.0} % of its time: the server can do at least this",
                busy_share * 100.0
            ),
            Self::NotSteady(how) => how.fmt(f),
            Self::StateChanged { before, after } => write!(
                f,
                "the machine's state changed: a cache line took {:.0} ns between the cores before and {:.0} ns after, a step \
                 of arithmetic {:.2} and {:.2} ns, a system call {:.0} and {:.0} ns",
                before.ping_pong_ns.unwrap_or(0.0),
                after.ping_pong_ns.unwrap_or(0.0),
                before.arithmetic_ns,
                after.arithmetic_ns,
                before.system_call_ns,
                after.system_call_ns
            ),
            Self::ReadLate { read_s, measured_s } => {
                write!(
                    f,
                    "what the server used was read over {read_s:.2} s, and the measured time was {measured_s:.2} s"
                )
            }
            Self::Disturbed { steal_share, other_share } => write!(
                f,
                "others used {:.0} % of the pinned cores, and the hypervisor took {:.0} % away",
                other_share * 100.0,
                steal_share * 100.0
            ),
            Self::StoppedLate { within_s } => {
                write!(f, "did not stop within {within_s} s of SIGTERM and was killed")
            }
        }
    }
}

fn listed(causes: &BTreeMap<String, u64>) -> String {
    causes.iter().map(|(cause, count)| format!("{cause} ({count})")).collect::<Vec<_>>().join(", ")
}
