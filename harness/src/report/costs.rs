//! Where the cost of a message and of a connection lies.

use loadgen::{FeedPlan, FeedTransport, Measurement, Workload};

use super::figures::{Figure, figure};
use super::wire::{OPENING, WIRE};
use crate::machine::{Memory, Spent, Switches};
use crate::plan::Load;
use crate::results::Measured;

const KIB: f64 = 1024.0;

/// The rows for a load. Nothing is won by them: what can be is in the load's own table. A climb has no messages to speak of.
pub(crate) fn costs_of(load: &Load) -> Vec<&'static Figure> {
    match load {
        Load::Capacity { .. } => Vec::new(),
        Load::Connect { .. } => SERVER.iter().chain(TOOL).chain(CORES).chain(WIRE).chain(OPENING).collect(),
        // What a load generator that spins uses says nothing of the load.
        _ if load.spins() => SERVER.iter().chain(CORES).chain(WIRE).collect(),
        _ => SERVER.iter().chain(TOOL).chain(CORES).chain(WIRE).collect(),
    }
}

const SERVER: &[Figure] = &[
    figure("Server CPU, user (µs/message)", |m| per_message(m, &m.server, m.server.user_us)),
    figure("Server CPU, system (µs/message)", |m| per_message(m, &m.server, m.server.system_us())),
    figure("Server context switches, voluntary (per message)", |m| switches(m, &m.server, |s| s.voluntary)),
    figure("Server context switches, involuntary (per message)", |m| {
        switches(m, &m.server, |s| s.involuntary)
    }),
    figure("Server memory, idle (KiB/connection)", |m| grown(m, idle, resident)),
    figure("Server memory, active (KiB/connection)", |m| grown(m, active, resident)),
    figure("Kernel buffers, idle (KiB/connection)", |m| grown(m, idle, buffers)),
    figure("Kernel buffers, active (KiB/connection)", |m| grown(m, active, buffers)),
];

const TOOL: &[Figure] = &[
    figure("Load generator CPU, user (µs/message)", |m| {
        m.tool.as_ref().and_then(|tool| per_message(m, tool, tool.user_us))
    }),
    figure("Load generator CPU, system (µs/message)", |m| {
        m.tool.as_ref().and_then(|tool| per_message(m, tool, tool.system_us()))
    }),
    figure("Load generator context switches (per message)", |m| {
        switches(m, m.tool.as_ref()?, |s| s.voluntary + s.involuntary)
    }),
];

const CORES: &[Figure] = &[
    figure("CPU of neither (% of the pinned cores)", |m| Some(m.core_shares()?.unaccounted * 100.0)),
    figure("Soft interrupts (% of the pinned cores)", |m| Some(m.core_shares()?.soft_interrupts * 100.0)),
];

/// Over the time of the process's readings, and by the rate over the measured time: the two times differ by as much as the
/// harness was late to read. Another's load generator is read with its start and its report, in which the server has nothing to do:
/// so by the messages.
pub(super) fn per_message(measured: &Measured, spent: &Spent, amount: f64) -> Option<f64> {
    let messages = measured.measurement.messages;
    (messages > 0).then(|| match measured.report {
        None => amount / spent.seconds / measured.rate(),
        Some(_) => amount / messages as f64,
    })
}

fn switches(measured: &Measured, spent: &Spent, of: fn(Switches) -> u64) -> Option<f64> {
    per_message(measured, spent, of(spent.switches?) as f64)
}

/// By how much memory has grown since before the first connection ÷ connections, in KiB.
fn grown(
    measured: &Measured,
    when: fn(&Measured) -> Option<Memory>,
    of: fn(Memory) -> Option<u64>,
) -> Option<f64> {
    let connections = connections(measured);
    let (before, then) = (of(measured.memory?.before)?, of(when(measured)?)?);
    (connections > 0).then(|| (then as f64 - before as f64) / KIB / connections as f64)
}

/// Connections that are there at a time.
fn connections(measured: &Measured) -> u64 {
    let Measurement { load, connections, .. } = &measured.measurement;
    match load.workload {
        // One takes the place of the other: those that were opened are many more.
        Workload::Connect { storm: false, connections, .. } => connections.get() as u64,
        Workload::Feed(FeedPlan { clients, transport: FeedTransport::Websocket }) => clients.get() as u64,
        _ => connections.established,
    }
}

fn idle(measured: &Measured) -> Option<Memory> {
    Some(measured.memory?.idle)
}

fn active(measured: &Measured) -> Option<Memory> {
    Some(measured.memory?.active)
}

fn resident(memory: Memory) -> Option<u64> {
    Some(memory.resident_bytes)
}

fn buffers(memory: Memory) -> Option<u64> {
    memory.buffer_bytes
}
