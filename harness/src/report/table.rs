use std::collections::BTreeSet;

use super::seconds::seconds;
use super::sheet::{Cell, Note, Row, Sheet, columns, cost_rows, missing};
use crate::plan::Load;
use crate::results::{Entry, Outcome, Run};

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
    asked(run).map(|load| table(run, load)).collect()
}

/// The table of one load.
#[must_use]
pub fn table(run: &Run, load: &Load) -> Table {
    let sheet = Sheet::of(run, load);
    let mut rows = texts(&sheet.rows);
    if matches!(load, Load::Capacity { .. }) {
        let stops = sheet.columns.iter().map(|entry| stops(run, entry, load)).collect();
        rows.push(("Stopped by".to_owned(), stops));
    }
    rows.extend(seconds(run, &sheet.columns, load));
    let notes = sheet.notes.iter().map(line).collect();
    Table { title: load.to_string(), columns: names(&sheet.columns), rows, notes }
}

/// Where the cost lies: a table for each load, of what its trials recorded. In older results that is less.
#[must_use]
pub fn costs(run: &Run) -> Vec<Table> {
    let tables = asked(run).map(|load| {
        let columns = columns(run, load);
        let rows = texts(&cost_rows(run, &columns, load));
        Table { title: format!("Cost of {load}"), columns: names(&columns), rows, notes: Vec::new() }
    });
    tables.filter(|table| !table.rows.is_empty()).collect()
}

/// The loads of the profile that anybody is asked. Where a tool is not there, a note of the run says so.
pub(crate) fn asked(run: &Run) -> impl Iterator<Item = &Load> {
    let loads = run.header.profile.loads.iter().map(|asked| &asked.load);
    loads.filter(|load| !run.header.asked(load).is_empty())
}

fn names(columns: &[&Entry]) -> Vec<String> {
    columns.iter().map(|entry| entry.name.clone()).collect()
}

fn texts(rows: &[Row]) -> Vec<(String, Vec<String>)> {
    rows.iter().map(|row| (row.title(), row.cells.iter().map(Cell::text).collect())).collect()
}

fn line(Note { contender, round, text }: &Note) -> String {
    match round {
        Some(round) => format!("{contender}, round {round}: {text}"),
        None => format!("{contender} {text}"),
    }
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
