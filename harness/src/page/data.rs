//! The figures behind the page, for programs and for its script.

use anyhow::Result;
use serde::Serialize;
use serde_json::Number;

use super::sections::shown;
use crate::report::{Bound, Row, Sheet};
use crate::results::{Outcome, Run};

#[derive(Serialize)]
struct Data<'a> {
    run: &'a str,
    contenders: Vec<&'a str>,
    loads: Vec<LoadData>,
}

/// One load; columns in the order of `contenders`, by their indices.
#[derive(Serialize)]
struct LoadData {
    load: String,
    contenders: Vec<usize>,
    /// Trials taken, and those of them that count.
    trials: Vec<(usize, usize)>,
    figures: Vec<FigureData>,
}

#[derive(Serialize)]
struct FigureData {
    /// As the page's tables refer to it.
    id: usize,
    figure: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    noise_percent: Option<Number>,
    median: Vec<Option<Number>>,
    /// Bounds of the median's 95 % interval; left out where they are the medians, and of a long run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    low: Vec<Option<Number>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    high: Vec<Option<Number>>,
    /// None of a long run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    place: Vec<Option<usize>>,
    /// Contenders of which it is a lower bound.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    at_least: Vec<usize>,
    /// Contenders of which it is an upper bound.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    at_most: Vec<usize>,
}

/// The figures as JSON that may stand in a page: no `<` ends its element.
///
/// # Errors
/// A figure cannot be written: a bug.
pub(super) fn json(run: &Run, sheets: &[Sheet<'_>], is_thin: bool) -> Result<String> {
    let data = Data {
        run: &run.header.name,
        contenders: run.header.contenders.iter().map(|entry| entry.name.as_str()).collect(),
        loads: sheets.iter().map(|sheet| load(run, sheet, is_thin)).collect(),
    };
    Ok(serde_json::to_string(&data)?.replace('<', "\\u003c"))
}

fn load(run: &Run, sheet: &Sheet<'_>, is_thin: bool) -> LoadData {
    let trials = sheet.columns.iter().map(|entry| {
        let is_valid = |outcome: &Outcome| matches!(outcome, Outcome::Measured(m) if m.is_valid());
        let (mut taken, mut valid) = (0, 0);
        for trial in run.cell(&entry.name, sheet.load) {
            taken += 1;
            valid += usize::from(is_valid(&trial.outcome));
        }
        (taken, valid)
    });
    LoadData {
        load: sheet.load.to_string(),
        contenders: sheet.columns.iter().map(|entry| run.entry_index(&entry.name)).collect(),
        trials: trials.collect(),
        figures: shown(sheet, is_thin).map(|(id, row)| figure(id, row, is_thin)).collect(),
    }
}

fn figure(id: usize, row: &Row, is_thin: bool) -> FigureData {
    let estimates: Vec<_> = row.cells.iter().map(|cell| cell.value.as_ref().ok()).collect();
    let median: Vec<_> = estimates.iter().map(|e| e.and_then(|e| short(e.median))).collect();
    let low: Vec<_> = estimates.iter().map(|e| e.and_then(|e| short(e.interval.0))).collect();
    let high: Vec<_> = estimates.iter().map(|e| e.and_then(|e| short(e.interval.1))).collect();
    let place: Vec<_> = row.cells.iter().map(|cell| cell.place).collect();
    // The tables have bounds and places: a long run's are not told twice.
    let is_left_out = is_thin || (low == median && high == median);
    FigureData {
        id,
        figure: row.name.clone(),
        noise_percent: row.noise_floor.and_then(|floor| short((floor - 1.0) * 100.0)),
        low: if is_left_out { Vec::new() } else { low },
        high: if is_left_out { Vec::new() } else { high },
        place: if !is_thin && place.iter().any(Option::is_some) { place } else { Vec::new() },
        at_least: bounded(row, Bound::AtLeast),
        at_most: bounded(row, Bound::AtMost),
        median,
    }
}

fn bounded(row: &Row, bound: Bound) -> Vec<usize> {
    (0..row.cells.len()).filter(|i| row.cells[*i].bound == bound).collect()
}

/// Five significant digits: one more than is shown, and no more than a thousand rows have room for.
fn short(value: f64) -> Option<Number> {
    let value: f64 = format!("{value:.4e}").parse().ok()?;
    let is_whole = value.fract() == 0.0 && value.abs() < 1e15;
    if is_whole { Some(Number::from(value as i64)) } else { Number::from_f64(value) }
}
