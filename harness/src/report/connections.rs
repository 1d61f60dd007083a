//! What is asked about connections: how many, how fast they open, what each costs.

use loadgen::Step;

use super::figures::{Figure, cost, figure, ms, rate};
use crate::results::Measured;

/// The last step of a climb that was without fault.
fn step(measured: &Measured) -> Option<&Step> {
    measured.measurement.capacity.as_ref()?.good_steps().last()
}

pub(super) fn held(measured: &Measured) -> Option<f64> {
    Some(measured.measurement.capacity.as_ref()?.held as f64)
}

fn connects_per_s(measured: &Measured) -> Option<f64> {
    let connect_s: f64 =
        measured.measurement.capacity.as_ref()?.good_steps().map(|step| step.connect_s).sum();
    (connect_s > 0.0).then_some(held(measured)? / connect_s)
}

fn kernel_bytes(measured: &Measured) -> Option<f64> {
    let memory = &step(measured)?.memory;
    Some(memory.kernel_buffer_bytes + memory.kernel_slab_bytes)
}

/// Connections opened in the measured time, a second.
pub(super) fn opened_per_s(measured: &Measured) -> Option<f64> {
    let measurement = &measured.measurement;
    (measurement.seconds > 0.0).then(|| measurement.connect.count() as f64 / measurement.seconds)
}

/// What a process used over the time of its readings, a connection opened.
fn per_connection(measured: &Measured, used_us: f64, seconds: f64) -> Option<f64> {
    opened_per_s(measured).filter(|per_s| *per_s > 0.0).map(|per_s| used_us / seconds / per_s)
}

pub(super) fn all_open_ms(measured: &Measured) -> Option<f64> {
    Some(measured.measurement.all_open_ns? as f64 / 1e6)
}

pub(super) const CAPACITY: &[Figure] = &[
    rate("Connections held", held),
    Figure { better: Some(1.0), ..figure("Connects/s", connects_per_s) },
    cost("Server memory (bytes/connection)", |m| step(m)?.memory.server_bytes),
    figure("Kernel memory, both ends (bytes/connection)", kernel_bytes),
    cost("Sweep median (ms)", |m| ms(Some(&step(m)?.sweep), 0.5)),
    cost("Sweep p99 (ms)", |m| ms(Some(&step(m)?.sweep), 0.99)),
];

pub(super) const CHURN: &[Figure] = &[
    figure("Connections opened", |m| Some(m.measurement.connect.count() as f64)),
    rate("Connections/s", opened_per_s),
    cost("Time to open median (ms)", |m| ms(Some(&m.measurement.connect), 0.5)),
    cost("Time to open p99 (ms)", |m| ms(Some(&m.measurement.connect), 0.99)),
];

pub(super) const STORM: &[Figure] = &[
    cost("All open after (ms)", all_open_ms),
    cost("Time to open median (ms)", |m| ms(Some(&m.measurement.connect), 0.5)),
    cost("Time to open p99 (ms)", |m| ms(Some(&m.measurement.connect), 0.99)),
];

pub(super) const CONNECTION_COST: &[Figure] = &[
    Figure {
        decides: true,
        ..cost("Server CPU (µs/connection)", |m| per_connection(m, m.server.cpu_us, m.server.seconds))
    },
    figure("Load generator CPU (µs/connection)", |m| {
        per_connection(m, m.measurement.cpu_us, m.measurement.seconds)
    }),
];
