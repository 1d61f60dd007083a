use std::error::Error;
use std::fmt::Write;

use loadgen::{Event, Measurement};

use crate::lateness::{column_us, measurement};
use crate::records::Records;
use crate::spread::Spread;

/// The same load by one thread and by two, in turn: do their latencies differ by more than those of a pair?
pub fn table(records: &Records) -> Result<String, Box<dyn Error>> {
    let rounds = records.all::<Event>()?.into_iter().map(measurement).collect::<Result<Vec<_>, _>>()?;
    let by = |threads: usize| rounds.iter().filter(move |round| round.load.threads.get() == threads);
    let mut table = String::from(
        "| latency | 1 thread, µs | 2 threads, µs | ratio of a pair | within the noise |\n|---|---|---|---|---|\n",
    );
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let latency_us = |threads: usize| column_us(by(threads).map(|round| &round.latency), share);
        let latency_ns = |round: &Measurement| round.latency.quantile_ns(share).map(|ns| ns as f64);
        let pairs = by(1).zip(by(2));
        let ratios = pairs.filter_map(|(one, two)| Some(latency_ns(two)? / latency_ns(one)?));
        let ratio = Spread::of(ratios).ok_or("no pairs")?;
        let (one, two) = (latency_us(1)?.text(1), latency_us(2)?.text(1));
        let is_same = if ratio.holds(1.0) { "yes" } else { "**no**" };
        writeln!(table, "| {name} | {one} | {two} | {} | {is_same} |", ratio.text(2))?;
    }
    Ok(table)
}
