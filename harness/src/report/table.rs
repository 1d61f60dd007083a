use std::collections::{BTreeMap, BTreeSet};

use super::costs::costs_of;
use super::figures::{Figure, Of, figures, performance};
use super::number;
use super::seconds::seconds;
use super::standing::{estimated, standing, valid};
use crate::plan::Load;
use crate::results::{Entry, Measured, Outcome, Run, Trial};
use crate::stats::{Estimate, Seen, estimates};
use crate::trial::Doubt;

/// The contender that the others are shown against.
const CEILING: &str = "ceiling";

/// The table of one load: a column a contender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The load.
    pub title: String,
    /// The contenders.
    pub columns: Vec<String>,
    /// A figure's name, and its text for each contender.
    pub rows: Vec<(String, Vec<String>)>,
    /// What speaks against figures, and why others are missing.
    pub notes: Vec<String>,
}

/// All tables of a run, in its profile's order.
#[must_use]
pub fn tables(run: &Run) -> Vec<Table> {
    run.header.profile.loads.iter().map(|load| table(run, load)).collect()
}

/// The table of one load.
#[must_use]
pub fn table(run: &Run, load: &Load) -> Table {
    let columns = columns(run, load);
    let mut rows: Vec<(String, Vec<String>)> =
        figures(load).into_iter().map(|figure| row(run, &columns, load, figure)).collect();
    if columns.iter().any(|entry| entry.name == CEILING) {
        let (compared, of) = performance(load);
        rows.push((
            format!("Share of the ceiling, by {compared} (%)"),
            shares_of_ceiling(run, &columns, load, of),
        ));
    }
    if matches!(load, Load::Capacity { .. }) {
        let stops = columns.iter().map(|entry| stops(run, entry, load)).collect();
        rows.push(("Stopped by".to_owned(), stops));
    }
    rows.extend(seconds(run, &columns, load));
    let notes = columns.iter().flat_map(|entry| notes(run, entry, load)).collect();
    let columns = columns.iter().map(|entry| entry.name.clone()).collect();
    Table { title: load.to_string(), columns, rows, notes }
}

/// Where the cost lies: a table for each load, of what its trials recorded. In older results that is less.
#[must_use]
pub fn costs(run: &Run) -> Vec<Table> {
    let tables = run.header.profile.loads.iter().map(|load| {
        let columns = columns(run, load);
        let recorded = |figure: &&Figure| {
            let has = |entry: &&Entry| valid(run, entry, load).any(|(_, m)| (figure.of)(m).is_some());
            columns.iter().any(has)
        };
        let rows = costs_of(load)
            .into_iter()
            .filter(recorded)
            .map(|figure| row(run, &columns, load, figure))
            .collect();
        let columns = columns.iter().map(|entry| entry.name.clone()).collect();
        Table { title: format!("Cost of {load}"), columns, rows, notes: Vec::new() }
    });
    tables.filter(|table| !table.rows.is_empty()).collect()
}

pub(super) fn columns<'a>(run: &'a Run, load: &Load) -> Vec<&'a Entry> {
    run.header.contenders.iter().filter(|entry| entry.manifest.takes(load)).collect()
}

fn row(run: &Run, columns: &[&Entry], load: &Load, figure: &Figure) -> (String, Vec<String>) {
    let standing = standing(run, load, figure, columns);
    let estimates = estimated(run, load, columns, figure.of);
    let cells = columns.iter().zip(estimates).map(|(entry, estimate)| {
        let place = standing.as_ref().and_then(|standing| standing.places.get(&entry.name));
        cell(run, entry, load, figure, estimate) + &place.map_or(String::new(), |place| format!(" #{place}"))
    });
    let floor = standing.as_ref().and_then(|standing| standing.noise_floor);
    let name = floor.map_or(figure.name.to_owned(), |floor| {
        format!("{}; noise {} %", figure.name, number::number((floor - 1.0) * 100.0))
    });
    (name, cells.collect())
}

pub(super) fn cell(
    run: &Run,
    entry: &Entry,
    load: &Load,
    figure: &Figure,
    estimate: Option<Estimate>,
) -> String {
    match estimate {
        None => missing(run, entry, load).to_owned(),
        Some(estimate) => {
            let at_least = if figure.is_rate && is_lower_bound(run, entry, load) { "≥ " } else { "" };
            format!("{at_least}{}", number::estimate(&estimate))
        }
    }
}

fn is_lower_bound(run: &Run, entry: &Entry, load: &Load) -> bool {
    valid(run, entry, load).any(|(_, measured)| measured.doubts.iter().any(Doubt::is_lower_bound))
}

/// Why a cell has no figure, in a word; its note tells more.
fn missing(run: &Run, entry: &Entry, load: &Load) -> &'static str {
    if entry.failed.is_some() {
        return "failed";
    }
    match run.cell(&entry.name, load).last().map(|trial| &trial.outcome) {
        None => "not taken",
        Some(Outcome::Failed(_)) => "failed",
        Some(Outcome::Measured(measured)) if measured.is_valid() => "–",
        Some(Outcome::Measured(_)) => "invalid",
    }
}

/// Ratios are taken within a round, where both were measured back to back.
fn shares_of_ceiling(run: &Run, columns: &[&Entry], load: &Load, of: Of) -> Vec<String> {
    let ceiling = columns.iter().filter(|entry| entry.name == CEILING);
    let limit: BTreeMap<u32, f64> = ceiling
        .flat_map(|entry| valid(run, entry, load))
        .filter_map(|(trial, measured)| Some((trial.slot.round, of(measured)?)))
        .collect();
    let cell = |entry: &&Entry| -> Vec<Seen> {
        let share = |(trial, measured): (&Trial, &Measured)| {
            let round = trial.slot.round;
            Some(Seen { round, value: of(measured)? / limit.get(&round)? * 100.0 })
        };
        valid(run, entry, load).filter_map(share).collect()
    };
    let shares = estimates(&columns.iter().map(cell).collect::<Vec<_>>());
    let shown = |(entry, share): (&&Entry, Option<Estimate>)| {
        share.map_or_else(|| missing(run, entry, load).to_owned(), |share| number::estimate(&share))
    };
    columns.iter().zip(shares).map(shown).collect()
}

/// What ended the climbs of a contender.
fn stops(run: &Run, entry: &Entry, load: &Load) -> String {
    let capacities = run.cell(&entry.name, load).filter_map(|trial| match &trial.outcome {
        Outcome::Measured(measured) => measured.measurement.capacity.as_ref(),
        Outcome::Failed(_) => None,
    });
    let stops: BTreeSet<String> = capacities.map(|capacity| capacity.stopped.to_string()).collect();
    if stops.is_empty() {
        return missing(run, entry, load).to_owned();
    }
    stops.into_iter().collect::<Vec<_>>().join(", ")
}

fn notes(run: &Run, entry: &Entry, load: &Load) -> Vec<String> {
    let name = &entry.name;
    let mut said: Vec<String> = entry
        .failed
        .iter()
        .map(|failed| with_log(format!("{name} {}", failed.failure), &failed.log_tail))
        .collect();
    for Trial { slot, outcome, .. } in run.cell(name, load) {
        let round = slot.round;
        match outcome {
            Outcome::Failed(failed) => {
                said.push(with_log(format!("{name}, round {round}: {}", failed.failure), &failed.log_tail));
            }
            Outcome::Measured(measured) => {
                said.extend(measured.doubts.iter().map(|doubt| format!("{name}, round {round}: {doubt}")));
            }
        }
    }
    said
}

/// The last lines of the log behind a note, folded onto one line for a table's foot.
fn with_log(note: String, log_tail: &str) -> String {
    let lines: Vec<&str> = log_tail.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return note;
    }
    format!("{note}; the end of its log: {}", lines[lines.len().saturating_sub(3)..].join(" ⏎ "))
}
