use std::error::Error;
use std::fmt::Write;

use loadgen::{Distribution, Event, Measurement, Process, Workload};

use crate::records::Records;
use crate::spread::{Spread, verdict};

/// So many of a hundred sends are to leave within so long of their time.
pub const GOAL_PERCENT: f64 = 99.9;
const GOAL_NS: u64 = 100_000;

/// The measurement of a record.
pub fn measurement(event: Event) -> Result<Measurement, Box<dyn Error>> {
    match event {
        Event::Measurement(measurement) => Ok(*measurement),
        other => Err(format!("expected a measurement: {other:?}").into()),
    }
}

/// How late an open loop sends: a row for each load, with its rounds.
pub fn table(records: &Records) -> Result<String, Box<dyn Error>> {
    let mut table = String::from(
        "| arrivals | rate, /s | waits by | lateness p50, µs | p99, µs | p99.9, µs | within 100 µs, % | goal: 99.9 % | latency p50, µs \
         | CPU, % of a core |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let groups = records.grouped(|event: &Event| match event {
        Event::Measurement(measurement) => Some(measurement.load.clone()),
        _ => None,
    })?;
    for group in groups {
        let rounds = group.into_iter().map(measurement).collect::<Result<Vec<_>, _>>()?;
        let lateness: Vec<&Distribution> =
            rounds.iter().filter_map(|round| round.lateness.as_ref()).collect();
        let quantile_us = |share| column_us(lateness.iter().copied(), share);
        let within = lateness.iter().filter_map(|lateness| lateness.share_until_ns(GOAL_NS));
        let within = Spread::of(within.map(|share| share * 100.0)).ok_or("a round without lateness")?;
        let load = &rounds[0].load;
        let Workload::Echo { arrivals, .. } = &load.workload else { return Err("expected echo".into()) };
        writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            if arrivals.process == Process::Poisson { "poisson" } else { "constant" },
            arrivals.rate.ok_or("expected a rate")?,
            match (load.spin, load.spin_us) {
                (true, _) => "`--spin`".to_owned(),
                (false, 0) => "sleeping".to_owned(),
                (false, spin_us) => format!("`--spin-us {spin_us}`"),
            },
            quantile_us(0.5)?.text(1),
            quantile_us(0.99)?.text(1),
            quantile_us(0.999)?.text(1),
            within.text(2),
            verdict(within.median() >= GOAL_PERCENT),
            column_us(rounds.iter().map(|round| &round.latency), 0.5)?.text(0),
            Spread::of(rounds.iter().map(|round| round.cpu_us / round.seconds / 1e4))
                .ok_or("no rounds")?
                .text(0),
        )?;
    }
    Ok(table)
}

/// A quantile of each of these, in µs.
pub fn column_us<'d>(
    distributions: impl Iterator<Item = &'d Distribution>,
    share: f64,
) -> Result<Spread, Box<dyn Error>> {
    let quantiles = distributions.filter_map(|distribution| distribution.quantile_ns(share));
    Ok(Spread::of(quantiles.map(|ns| ns as f64 / 1e3)).ok_or("an empty distribution")?)
}
