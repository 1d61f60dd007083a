use loadgen::Distribution;

use super::costs::per_message;
use crate::plan::Load;
use crate::results::Measured;

/// A row of a table: a figure of each trial.
pub(crate) struct Figure {
    /// Name and unit.
    pub name: &'static str,
    /// Is it no more than a lower bound where the load generator was the limit?
    pub is_rate: bool,
    /// 1 if more is better, −1 if less is; none where there is nothing to win.
    pub better: Option<f64>,
    /// Reads it off; `None`: not to be had.
    pub of: fn(&Measured) -> Option<f64>,
}

type Of = fn(&Measured) -> Option<f64>;

pub(super) const fn figure(name: &'static str, of: Of) -> Figure {
    Figure { name, is_rate: false, better: None, of }
}

/// A figure by which contenders are ranked, the smallest first.
const fn cost(name: &'static str, of: Of) -> Figure {
    Figure { better: Some(-1.0), ..figure(name, of) }
}

/// A figure by which contenders are ranked, the largest first.
const fn rate(name: &'static str, of: Of) -> Figure {
    Figure { is_rate: true, better: Some(1.0), ..figure(name, of) }
}

const MS: f64 = 1e6;
const MIB: f64 = 1024.0 * 1024.0;

fn latency(measured: &Measured) -> &Distribution {
    &measured.measurement.latency
}

fn server_us_per_message(measured: &Measured) -> Option<f64> {
    per_message(measured, &measured.server, measured.server.cpu_us)
}

fn tool_us_per_message(measured: &Measured) -> Option<f64> {
    let messages = measured.measurement.messages;
    (messages > 0).then(|| measured.measurement.cpu_us / messages as f64)
}

fn tool_cores_busy(measured: &Measured) -> f64 {
    measured.measurement.cpu_us / 1e6 / measured.measurement.seconds
}

fn errors(measured: &Measured) -> f64 {
    measured.measurement.errors.values().map(|&count| count as f64).sum()
}

const ECHO: &[Figure] = &[
    figure("Time (s)", |m| Some(m.measurement.seconds)),
    figure("Requests (messages)", |m| Some(m.measurement.messages as f64)),
    rate("RPS (messages/s)", |m| Some(m.rate())),
    figure("Errors", |m| Some(errors(m))),
    figure("Latency min (ms)", |m| Some(latency(m).min_ns()? as f64 / MS)),
    cost("Latency median (ms)", |m| Some(latency(m).quantile_ns(0.5)? as f64 / MS)),
    cost("Latency p99 (ms)", |m| Some(latency(m).quantile_ns(0.99)? as f64 / MS)),
    figure("Latency max (ms)", |m| Some(latency(m).max_ns()? as f64 / MS)),
    cost("Server CPU (µs/message)", server_us_per_message),
    figure("Server CPU (% of one core)", |m| Some(m.server.cores_busy() * 100.0)),
    cost("Server memory (MiB)", |m| Some(m.server.resident_bytes as f64 / MIB)),
    figure("Load generator CPU (µs/message)", tool_us_per_message),
    figure("Load generator CPU (% of one core)", |m| Some(tool_cores_busy(m) * 100.0)),
];

const BROADCAST: &[Figure] = &[
    figure("Time (s)", |m| Some(m.measurement.seconds)),
    figure("Publications", |m| Some(m.measurement.delivery?.publications as f64)),
    rate("Deliveries/s", |m| Some(m.rate())),
    figure("Errors", |m| Some(errors(m))),
    figure("Reach (%)", |m| Some(m.measurement.delivery?.reach()? * 100.0)),
    figure("Duplicates", |m| Some(m.measurement.delivery?.duplicates as f64)),
    figure("Out of order", |m| Some(m.measurement.delivery?.out_of_order as f64)),
    figure("Delivery latency min (ms)", |m| Some(latency(m).min_ns()? as f64 / MS)),
    cost("Delivery latency median (ms)", |m| Some(latency(m).quantile_ns(0.5)? as f64 / MS)),
    cost("Delivery latency p99 (ms)", |m| Some(latency(m).quantile_ns(0.99)? as f64 / MS)),
    figure("Delivery latency max (ms)", |m| Some(latency(m).max_ns()? as f64 / MS)),
    cost("Server CPU (µs/delivery)", server_us_per_message),
    figure("Server CPU (% of one core)", |m| Some(m.server.cores_busy() * 100.0)),
    cost("Server memory (MiB)", |m| Some(m.server.resident_bytes as f64 / MIB)),
    figure("Load generator CPU (µs/delivery)", tool_us_per_message),
    figure("Load generator CPU (% of one core)", |m| Some(tool_cores_busy(m) * 100.0)),
];

/// The rows for a load.
pub(crate) fn figures(load: &Load) -> &'static [Figure] {
    match load {
        Load::Echo { .. } => ECHO,
        Load::Broadcast { .. } => BROADCAST,
    }
}

/// What the share of the ceiling compares: the rate where the server sets it, otherwise the inverse of the
/// CPU time a message takes. More is better in both.
pub(super) fn performance(load: &Load, measured: &Measured) -> Option<f64> {
    if load.is_closed_loop() {
        Some(measured.rate())
    } else {
        server_us_per_message(measured).map(f64::recip)
    }
}
