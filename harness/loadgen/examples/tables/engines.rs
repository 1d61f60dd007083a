use std::error::Error;
use std::fmt::Write;

use loadgen::{Engine, Event, Load, Measurement};
use serde::Deserialize;

use crate::lateness::{column_us, measurement};
use crate::records::Records;
use crate::spread::{Spread, verdict};

/// So much of its core the generator may take where it is not the limit.
const GOAL_PERCENT: f64 = 90.0;

/// One run against a server.
#[derive(Debug, Deserialize)]
struct Round {
    server: String,
    event: Event,
}

/// The same loads by both engines, in turn: what a message costs, what is left of the core, latencies, and what went over the
/// connections by either.
pub fn table(records: &Records) -> Result<String, Box<dyn Error>> {
    let mut table = String::from(
        "| server: load | epoll, µs | io_uring, µs | ratio of a pair | it costs | messages/s, ratio | epoll, % of its core | goal: < 90 % | \
         io_uring, % | p50 by epoll, µs | p50 by io_uring, µs | p50, ratio | p99, ratio | segments a message, both ways |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for rounds in records.grouped(|round: &Round| (round.server.clone(), asked(&round.event)))? {
        let server = rounds[0].server.clone();
        let rounds = rounds.into_iter().map(|round| measurement(round.event));
        let rounds = rounds.collect::<Result<Vec<_>, _>>()?;
        let by = |engine: Engine| rounds.iter().filter(move |round| round.load.engine == engine);
        let column =
            |engine, figure: fn(&Measurement) -> f64| Spread::of(by(engine).map(figure)).ok_or("no rounds");
        let ratio = |figure: fn(&Measurement) -> f64| {
            let pairs = by(Engine::Epoll).zip(by(Engine::IoUring));
            Spread::of(pairs.map(|(epoll, ring)| figure(ring) / figure(epoll))).ok_or("no pairs")
        };
        let cost = ratio(a_message_us)?.interval();
        let costs = match cost.holds(1.0) {
            true => "no difference seen",
            false if cost.median() < 1.0 => "less",
            false => "more",
        };
        let share = column(Engine::Epoll, core_percent)?;
        let p50 = |engine| column_us(by(engine).map(|round| &round.latency), 0.5);
        writeln!(
            table,
            "| {server}: {} | {} | {} | **{}** | {costs} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            named(&rounds[0].load)?,
            column(Engine::Epoll, a_message_us)?.interval().text(2),
            column(Engine::IoUring, a_message_us)?.interval().text(2),
            cost.text(2),
            ratio(|round| round.messages as f64 / round.seconds)?.interval().text(2),
            share.interval().text(0),
            if server == "ceiling" { "–" } else { verdict(share.median() < GOAL_PERCENT) },
            column(Engine::IoUring, core_percent)?.interval().text(0),
            p50(Engine::Epoll)?.interval().text(0),
            p50(Engine::IoUring)?.interval().text(0),
            ratio(|round| quantile(round, 0.5))?.interval().text(2),
            ratio(|round| quantile(round, 0.99))?.interval().text(2),
            Spread::of(rounds.iter().filter_map(segments_a_message)).ok_or("no segments")?.interval().text(2),
        )?;
    }
    Ok(table)
}

/// The load without its engine.
fn asked(event: &Event) -> Option<Load> {
    match event {
        Event::Measurement(measurement) => {
            Some(Load { engine: Engine::default(), ..measurement.load.clone() })
        }
        _ => None,
    }
}

fn named(load: &Load) -> Result<String, Box<dyn Error>> {
    match load.workload {
        loadgen::Workload::Echo { connections, .. } => Ok(format!("echo, {connections}")),
        loadgen::Workload::Xhr { connections } => Ok(format!("XHR, {connections}")),
        ref other => Err(format!("expected echo or XHR: {other:?}").into()),
    }
}

fn a_message_us(round: &Measurement) -> f64 {
    round.cpu_us / round.messages as f64
}

fn segments_a_message(round: &Measurement) -> Option<f64> {
    let wire = round.wire?;
    Some((wire.to_server.segments + wire.to_client.segments) as f64 / wire.messages as f64)
}

fn core_percent(round: &Measurement) -> f64 {
    round.cpu_us / round.seconds / 1e4
}

fn quantile(round: &Measurement, share: f64) -> f64 {
    round.latency.quantile_ns(share).map_or(f64::NAN, |ns| ns as f64)
}
