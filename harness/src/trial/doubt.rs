use std::collections::BTreeMap;
use std::fmt;

use loadgen::Stop;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SearchEnd;
use super::steady::Unsteady;
use crate::machine::Probe;

/// Why a figure is less than it seems: typed, each with its evidence. A trial without one is valid.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// Not one message came back.
    Nothing,
    /// Messages came that were not the right ones.
    WrongPayload {
        /// How often, by cause.
        causes: BTreeMap<String, u64>,
    },
    /// Something else went wrong on a connection that was open.
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
    #[serde(alias = "littles-law")]
    LittlesLawViolated {
        /// Messages outstanding, as asked for.
        asked: f64,
        /// As implied by rate and latency.
        implied: f64,
        /// What was asked for may differ by from what is implied, in messages: `(less, more)`. Older results had 5 % for both.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        allowed: Option<(f64, f64)>,
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
    /// The machine was not the same throughout, or not ours alone.
    #[serde(alias = "state-changed", alias = "read-late", alias = "disturbed")]
    Noisy(Noisy),
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
            | Self::Noisy(Noisy::Disturbed { .. }) => false,
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
        self.invalidates() && !matches!(self, Self::Noisy(_))
    }
}

/// How a machine was noisy. Told apart in a results file by their fields, as each was a verdict of its own.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Noisy {
    /// Its speed changed during the trial.
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
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "not one message came back"),
            Self::WrongPayload { causes } => write!(
                f,
                "wrong payloads: {}; `harness verify` tells whether the contract is kept without load",
                listed(causes)
            ),
            Self::Errors { causes } => {
                write!(
                    f,
                    "errors: {}; the server's log under .run beside the results may tell why",
                    listed(causes)
                )
            }
            Self::Connections { asked, kept, causes } if causes.is_empty() => {
                write!(f, "{kept} of {asked} connections were kept")
            }
            Self::Connections { asked, kept, causes } => {
                write!(f, "{kept} of {asked} connections were kept: {}", listed(causes))
            }
            Self::Incomplete { expected, received, duplicates, out_of_order } => write!(
                f,
                "{received} of {expected} deliveries arrived, {duplicates} again, {out_of_order} out of order; a server that drops \
                 says so in GET /stats"
            ),
            Self::LittlesLawViolated { asked, implied, .. } => write!(
                f,
                "{asked} messages should be outstanding, but rate × mean latency gives {implied:.1} (Little's law): latency or rate \
                 is measured wrong, or some messages are never answered; a longer measured time tells"
            ),
            Self::RateMissed { offered, achieved } => {
                write!(
                    f,
                    "{achieved:.1}/s were achieved of {offered:.1}/s: offer less, or search for the limit"
                )
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
            Self::Noisy(how) => how.fmt(f),
            Self::StoppedLate { within_s } => {
                write!(f, "did not stop within {within_s} s of SIGTERM and was killed")
            }
        }
    }
}

impl fmt::Display for Noisy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
                "others used {:.0} % of the pinned cores, and the hypervisor took {:.0} % away: end what else runs, or choose \
                 other cores",
                other_share * 100.0,
                steal_share * 100.0
            ),
        }
    }
}

fn listed(causes: &BTreeMap<String, u64>) -> String {
    causes.iter().map(|(cause, count)| format!("{cause} ({count})")).collect::<Vec<_>>().join(", ")
}
