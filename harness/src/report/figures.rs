use loadgen::Distribution;

use super::connections::{CAPACITY, CHURN, CONNECTION_COST, STORM, all_open_ms, held, opened_per_s};
use super::costs::per_message;
use super::feeds::{FEED_CPU, FEED_LATENCY, FEEDS};
use crate::plan::{Load, Rate, ToolName};
use crate::results::Measured;
use crate::tool::Latency;

/// A row of a table: a figure of each trial.
#[derive(Clone, Copy)]
pub(crate) struct Figure {
    /// Name and unit.
    pub name: &'static str,
    /// Is it no more than a lower bound where the load generator was the limit?
    pub is_rate: bool,
    /// Is it one that `--until` waits for?
    pub decides: bool,
    /// 1 if more is better, −1 if less is; none where there is nothing to win.
    pub better: Option<f64>,
    /// Are places given for it?
    pub is_ranked: bool,
    /// Reads it off; `None`: not to be had.
    pub of: fn(&Measured) -> Option<f64>,
}

pub(crate) type Of = fn(&Measured) -> Option<f64>;

pub(super) const fn figure(name: &'static str, of: Of) -> Figure {
    Figure { name, is_rate: false, decides: false, better: None, is_ranked: true, of }
}

/// A figure by which contenders are ranked, the smallest first.
pub(super) const fn cost(name: &'static str, of: Of) -> Figure {
    Figure { better: Some(-1.0), ..figure(name, of) }
}

/// A figure by which contenders are ranked, the largest first.
pub(super) const fn rate(name: &'static str, of: Of) -> Figure {
    Figure { is_rate: true, decides: true, better: Some(1.0), ..figure(name, of) }
}

pub(super) const MS: f64 = 1e6;
pub(super) const MIB: f64 = 1024.0 * 1024.0;

pub(super) fn latency(measured: &Measured) -> &Distribution {
    &measured.measurement.latency
}

pub(super) fn server_us_per_message(measured: &Measured) -> Option<f64> {
    per_message(measured, &measured.server, measured.server.cpu_us)
}

pub(super) fn tool_us_per_message(measured: &Measured) -> Option<f64> {
    let messages = measured.measurement.messages;
    (messages > 0).then(|| measured.measurement.cpu_us / messages as f64)
}

pub(super) fn tool_cores_busy(measured: &Measured) -> f64 {
    measured.measurement.cpu_us / 1e6 / measured.measurement.seconds
}

fn errors(measured: &Measured) -> f64 {
    // A sum of no floats is -0.
    measured.measurement.errors.values().sum::<u64>() as f64
}

pub(super) fn ms(times: Option<&Distribution>, share: f64) -> Option<f64> {
    Some(times?.quantile_ns(share)? as f64 / MS)
}

fn said_ms(measured: &Measured, of: fn(&Latency) -> Option<f64>) -> Option<f64> {
    Some(of(&measured.report.as_ref()?.latency)? / 1e3)
}

fn offered(measured: &Measured) -> Option<f64> {
    let arrivals = measured.measurement.load.workload.arrivals()?;
    Some(f64::from(arrivals.rate?.get()))
}

fn limit(measured: &Measured) -> Option<f64> {
    measured.search.as_ref()?.kept.map(f64::from)
}

const TIME: &[Figure] = &[figure("Time (s)", |m| Some(m.measurement.seconds))];

const ECHO_CLOSED: &[Figure] = &[
    figure("Requests (messages)", |m| Some(m.measurement.messages as f64)),
    rate("RPS (messages/s)", |m| Some(m.rate())),
];

const COUNTDOWNS: &[Figure] = &[
    figure("Countdowns", |m| Some(m.measurement.total.as_ref()?.count() as f64)),
    cost("Whole countdown median (ms)", |m| ms(m.measurement.total.as_ref(), 0.5)),
    cost("Whole countdown p99 (ms)", |m| ms(m.measurement.total.as_ref(), 0.99)),
];

const ECHO_LIMIT: &[Figure] = &[rate("Limit (messages/s)", limit)];

const CALIBRATION: &[Figure] =
    &[figure("Capacity, closed loop (/s)", |m| Some(m.calibration.as_ref()?.capacity_per_s))];

const ECHO_OPEN: &[Figure] = &[
    figure("Rate offered (messages/s)", offered),
    figure("Messages sent", |m| Some(m.measurement.sent as f64)),
    figure("Replies/s", |m| Some(m.rate())),
];

const ERRORS: &[Figure] = &[figure("Errors", |m| Some(errors(m)))];

const LATENCY: &[Figure] = &[
    figure("Latency min (ms)", |m| Some(latency(m).min_ns()? as f64 / MS)),
    cost("Latency median (ms)", |m| ms(Some(latency(m)), 0.5)),
    cost("Latency p99 (ms)", |m| ms(Some(latency(m)), 0.99)),
    figure("Latency p99.9 (ms)", |m| ms(Some(latency(m)), 0.999)),
    figure("Latency max (ms)", |m| Some(latency(m).max_ns()? as f64 / MS)),
];

/// In a closed loop with many connections the median is no merit: it is low where few connections are served often and the
/// others wait, and what all wait on average the rate says (Little's law).
const LATENCY_CLOSED: &[Figure] =
    &[LATENCY[0], Figure { is_ranked: false, ..LATENCY[1] }, LATENCY[2], LATENCY[3], LATENCY[4]];

/// As another's load generator says it.
const SAID_LATENCY: &[Figure] = &[
    figure("Latency min (ms)", |m| said_ms(m, |said| said.min_us)),
    cost("Latency median (ms)", |m| said_ms(m, |said| said.median_us)),
    cost("Latency p99 (ms)", |m| said_ms(m, |said| said.p99_us)),
    figure("Latency max (ms)", |m| said_ms(m, |said| said.max_us)),
];

const SERVICE: &[Figure] = &[
    cost("Service time median (ms)", |m| ms(m.measurement.service.as_ref(), 0.5)),
    cost("Service time p99 (ms)", |m| ms(m.measurement.service.as_ref(), 0.99)),
];

const LATENESS: &[Figure] = &[
    figure("Lateness of sending median (ms)", |m| ms(m.measurement.lateness.as_ref(), 0.5)),
    figure("Lateness of sending p99 (ms)", |m| ms(m.measurement.lateness.as_ref(), 0.99)),
];

const SERVER: &[Figure] = &[
    Figure { decides: true, ..cost("Server CPU (µs/message)", server_us_per_message) },
    figure("Server CPU (% of one core)", |m| Some(m.server.cores_busy() * 100.0)),
    cost("Server memory (MiB)", |m| Some(m.server.resident_bytes as f64 / MIB)),
];

const TOOL: &[Figure] = &[
    figure("Load generator CPU (µs/message)", tool_us_per_message),
    figure("Load generator CPU (% of one core)", |m| Some(tool_cores_busy(m) * 100.0)),
];

const PUBLICATIONS: &[Figure] =
    &[figure("Publications", |m| Some(m.measurement.delivery?.publications as f64))];

const BROADCAST_CLOSED: &[Figure] = &[rate("Deliveries/s", |m| Some(m.rate()))];

const BROADCAST_LIMIT: &[Figure] = &[rate("Limit (subscribers)", limit)];

const BROADCAST_OPEN: &[Figure] =
    &[figure("Rate offered (publications/s)", offered), figure("Deliveries/s", |m| Some(m.rate()))];

const REACH: &[Figure] = &[
    figure("Reach (%)", |m| Some(m.measurement.delivery?.reach()? * 100.0)),
    figure("Duplicates", |m| Some(m.measurement.delivery?.duplicates as f64)),
    figure("Out of order", |m| Some(m.measurement.delivery?.out_of_order as f64)),
];

const DELIVERY_LATENCY: &[Figure] = &[
    figure("Delivery latency min (ms)", |m| Some(latency(m).min_ns()? as f64 / MS)),
    cost("Delivery latency median (ms)", |m| ms(Some(latency(m)), 0.5)),
    cost("Delivery latency p99 (ms)", |m| ms(Some(latency(m)), 0.99)),
    figure("Delivery latency p99.9 (ms)", |m| ms(Some(latency(m)), 0.999)),
    figure("Delivery latency max (ms)", |m| Some(latency(m).max_ns()? as f64 / MS)),
];

const BROADCAST_SERVER: &[Figure] = &[
    Figure { decides: true, ..cost("Server CPU (µs/delivery)", server_us_per_message) },
    figure("Server CPU (% of one core)", |m| Some(m.server.cores_busy() * 100.0)),
    cost("Server memory (MiB)", |m| Some(m.server.resident_bytes as f64 / MIB)),
];

const BROADCAST_TOOL: &[Figure] = &[
    figure("Load generator CPU (µs/delivery)", tool_us_per_message),
    figure("Load generator CPU (% of one core)", |m| Some(tool_cores_busy(m) * 100.0)),
];

/// The rows for a load.
pub(crate) fn figures(load: &Load) -> Vec<&'static Figure> {
    const NONE: &[Figure] = &[];
    let calibration = if matches!(load.rate(), Some(Rate::Share(_))) { CALIBRATION } else { NONE };
    // What a load generator that spins uses says nothing of the load.
    let unless_it_spins = |tool: &'static [Figure]| if load.spins() { NONE } else { tool };
    let groups: Vec<&[Figure]> = match load {
        // What another's load generator tells is this, whatever the load.
        Load::Broadcast { .. } if load.tool() != ToolName::Loadgen => {
            vec![TIME, BROADCAST_CLOSED, ERRORS, SAID_LATENCY, BROADCAST_SERVER, BROADCAST_TOOL]
        }
        _ if load.tool() != ToolName::Loadgen => vec![TIME, ECHO_CLOSED, ERRORS, SAID_LATENCY, SERVER, TOOL],
        Load::Echo { rate: None, .. } | Load::Xhr { .. } => {
            vec![TIME, ECHO_CLOSED, ERRORS, LATENCY_CLOSED, SERVER, TOOL]
        }
        Load::Countdown { .. } => vec![TIME, COUNTDOWNS, ECHO_CLOSED, ERRORS, LATENCY, SERVER, TOOL],
        Load::Connect { storm: true, .. } => vec![STORM, TIME, ECHO_CLOSED, ERRORS, LATENCY, SERVER, TOOL],
        Load::Connect { storm: false, .. } => {
            vec![TIME, CHURN, ERRORS, LATENCY, CONNECTION_COST, SERVER, TOOL]
        }
        Load::Echo { rate: Some(_), .. } => {
            let tool = unless_it_spins(TOOL);
            vec![TIME, calibration, ECHO_OPEN, ERRORS, LATENCY, SERVICE, LATENESS, SERVER, tool]
        }
        Load::EchoLimit { .. } => {
            vec![ECHO_LIMIT, ECHO_OPEN, ERRORS, LATENCY, SERVICE, LATENESS, SERVER, TOOL]
        }
        Load::Feed { .. } => vec![TIME, FEEDS, ERRORS, FEED_LATENCY, FEED_CPU],
        Load::Broadcast { rate: None, .. } | Load::Chat { rate: None, .. } => {
            vec![
                TIME,
                PUBLICATIONS,
                BROADCAST_CLOSED,
                ERRORS,
                REACH,
                DELIVERY_LATENCY,
                BROADCAST_SERVER,
                BROADCAST_TOOL,
            ]
        }
        Load::Broadcast { rate: Some(_), .. } | Load::Chat { rate: Some(_), .. } => {
            let tool = unless_it_spins(BROADCAST_TOOL);
            vec![
                TIME,
                calibration,
                PUBLICATIONS,
                BROADCAST_OPEN,
                ERRORS,
                REACH,
                DELIVERY_LATENCY,
                LATENESS,
                BROADCAST_SERVER,
                tool,
            ]
        }
        Load::BroadcastLimit { .. } => {
            vec![
                BROADCAST_LIMIT,
                BROADCAST_OPEN,
                ERRORS,
                REACH,
                DELIVERY_LATENCY,
                LATENESS,
                BROADCAST_SERVER,
                BROADCAST_TOOL,
            ]
        }
        Load::Capacity { .. } => vec![CAPACITY],
    };
    groups.into_iter().flatten().collect()
}

/// What the share of the ceiling compares, more of which is better: what the server sets, and where the load sets
/// that, the inverse of the CPU time a message takes.
pub(super) fn performance(load: &Load) -> (&'static str, Of) {
    match load {
        Load::EchoLimit { .. } | Load::BroadcastLimit { .. } => ("limit", limit),
        Load::Capacity { .. } => ("connections", held),
        Load::Connect { storm: true, .. } => ("time to open all", |m| all_open_ms(m).map(f64::recip)),
        Load::Connect { storm: false, .. } => ("connections/s", opened_per_s),
        Load::Echo { rate: Some(_), .. }
        | Load::Broadcast { rate: Some(_), .. }
        | Load::Chat { rate: Some(_), .. } => ("CPU", |m| server_us_per_message(m).map(f64::recip)),
        Load::Echo { .. }
        | Load::Broadcast { .. }
        | Load::Chat { .. }
        | Load::Feed { .. }
        | Load::Xhr { .. }
        | Load::Countdown { .. } => ("rate", |m| Some(m.rate())),
    }
}
