//! Reads the last line of a `loadgen capacity` on standard input, and prints it as a row of a table:
//! `capacity_row CONTENDER SERVER_PROCESSES`. `scripts/capacity.sh` makes the README's table so.

use std::env::args;
use std::error::Error;
use std::io::{read_to_string, stdin};

use loadgen::{Capacity, Distribution, Event, Step};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = args().skip(1);
    let (Some(contender), Some(servers)) = (words.next(), words.next()) else {
        return Err("expected: capacity_row CONTENDER SERVER_PROCESSES".into());
    };
    let Event::Measurement(measurement) = serde_json::from_str(&read_to_string(stdin())?)? else {
        return Err("expected a measurement".into());
    };
    let asked = measurement.load.workload.connections();
    let capacity = measurement.capacity.ok_or("expected the measurement of a capacity")?;
    println!("{}", row(&contender, &servers, asked, &capacity).ok_or("not one step was without fault")?);
    Ok(())
}

/// What was so at the last step without fault; connecting is that of all of them.
fn row(contender: &str, servers: &str, asked: usize, capacity: &Capacity) -> Option<String> {
    let good: Vec<&Step> = capacity.steps.iter().filter(|step| step.connections <= capacity.held).collect();
    let last = good.last()?;
    let mut connect = Distribution::new();
    good.iter().for_each(|step| connect.merge(&step.connect));
    let connect_s: f64 = good.iter().map(|step| step.connect_s).sum();
    let stopped = serde_json::to_value(capacity.stopped).ok()?.as_str()?.replace('_', " ");
    let memory = &last.memory;
    let server_bytes = memory.server_bytes.map_or("?".to_owned(), |bytes| format!("{bytes:.0}"));
    Some(format!(
        "| {contender} | {asked} | {} | {stopped} | {servers}, {} | {:.0} | {} | {:.2} | {} | {:.0}, {:.0} | {server_bytes} | {:.0} |",
        capacity.held,
        last.processes,
        capacity.held as f64 / connect_s,
        p50_p99_ms(&connect)?,
        last.sweep_s,
        p50_p99_ms(&last.sweep)?,
        memory.own_bytes,
        memory.own_private_bytes,
        memory.kernel_slab_bytes + memory.kernel_buffer_bytes,
    ))
}

fn p50_p99_ms(durations: &Distribution) -> Option<String> {
    let ms = |share| durations.quantile_ns(share).map(|ns| ns as f64 / 1e6);
    Some(format!("{:.1}, {:.1}", ms(0.5)?, ms(0.99)?))
}
