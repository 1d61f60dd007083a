use std::error::Error;
use std::fmt::Write;

use loadgen::{Capacity, Distribution, Event, Step};
use serde::Deserialize;

use crate::lateness::measurement;
use crate::records::Records;
use crate::spread::verdict;

/// At most so much of the generator's own memory for an idle connection, by VmRSS, where there are so many or more.
const GOAL_BYTES: f64 = 512.0;
const GOAL_BYTES_FROM: u64 = 200_000;
/// So many connections are to be open in less than so long.
const GOAL_CONNECTIONS: u64 = 100_000;
const GOAL_S: f64 = 10.0;

/// One climb.
#[derive(Debug, Deserialize)]
struct Climb {
    contender: String,
    server_processes: u64,
    #[serde(flatten)]
    event: Event,
}

/// How many connections contenders held, and what each cost: what was so at the last step without fault.
pub fn table(records: &Records) -> Result<String, Box<dyn Error>> {
    let mut table = String::from(
        "| contender | asked | held | stopped by | processes: server, generator | 100,000 open after, s | goal: < 10 s \
         | connect p50, p99, ms | last sweep, s | its p50, p99, ms | generator, VmRSS, B a connection | of it private | goal at 200,000: ≤ 512 B \
         | server, B | kernel, both ends, B |\n|---|--:|--:|---|--:|--:|---|--:|--:|--:|--:|--:|---|--:|--:|\n",
    );
    for Climb { contender, server_processes, event } in records.all()? {
        let measurement = measurement(event)?;
        let asked = measurement.load.workload.connections();
        let capacity = measurement.capacity.ok_or("expected the measurement of a capacity")?;
        let row = row(&capacity).ok_or_else(|| format!("{contender}: not one step was without fault"))?;
        let held = capacity.held;
        let stopped = serde_json::to_value(capacity.stopped)?.as_str().unwrap_or("?").replace('_', " ");
        writeln!(table, "| {contender} | {asked} | {held} | {stopped} | {server_processes}, {row} |")?;
    }
    Ok(table)
}

fn row(capacity: &Capacity) -> Option<String> {
    let good: Vec<&Step> = capacity.good_steps().collect();
    let last = good.last()?;
    let mut connect = Distribution::new();
    good.iter().for_each(|step| connect.merge(&step.connect));
    let (opened_after, opened_goal) = match opened_after_s(&good, GOAL_CONNECTIONS) {
        Some(seconds) => (format!("{seconds:.1}"), verdict(seconds < GOAL_S)),
        None => ("–".to_owned(), "–"),
    };
    let memory = &last.memory;
    let is_small = memory.own_bytes <= GOAL_BYTES;
    let memory_goal = if last.connections < GOAL_BYTES_FROM { "–" } else { verdict(is_small) };
    let server_bytes = memory.server_bytes.map_or("?".to_owned(), |bytes| format!("{bytes:.0}"));
    Some(format!(
        "{} | {opened_after} | {opened_goal} | {} | {:.2} | {} | {:.0} | {:.0} | {memory_goal} | {server_bytes} | {:.0}",
        last.processes,
        p50_p99_ms(&connect)?,
        last.sweep_s,
        p50_p99_ms(&last.sweep)?,
        memory.own_bytes,
        memory.own_private_bytes,
        memory.kernel_slab_bytes + memory.kernel_buffer_bytes,
    ))
}

/// How long so many connections took to open, the sweeps between the steps left out; of a larger step, its share.
fn opened_after_s(steps: &[&Step], connections: u64) -> Option<f64> {
    let mut seconds = 0.0;
    let mut before = 0;
    for step in steps {
        if step.connections >= connections {
            let share = (connections - before) as f64 / (step.connections - before) as f64;
            return Some(seconds + step.connect_s * share);
        }
        seconds += step.connect_s;
        before = step.connections;
    }
    None
}

fn p50_p99_ms(durations: &Distribution) -> Option<String> {
    let ms = |share| durations.quantile_ns(share).map(|ns| ns as f64 / 1e6);
    Some(format!("{:.1}, {:.1}", ms(0.5)?, ms(0.99)?))
}
