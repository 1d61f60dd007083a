//! Dots and whiskers: a figure of all contenders, beside its numbers.

use super::scale::Scale;
use crate::report::{Cell, Row, Sheet, name_and_unit, number, range};
use crate::results::Run;

/// One figure of all contenders.
pub(super) struct Card {
    /// Index of the figure among those of the load.
    pub figure: usize,
    /// Its name.
    pub name: String,
    /// Its unit, which may be empty.
    pub unit: String,
    /// Which are better.
    pub better: &'static str,
    /// What the control differs from itself by, in percent.
    pub noise: Option<String>,
    /// The scale's two ends; none where there is nothing to draw.
    pub ends: Option<(String, String)>,
    pub is_log: bool,
    /// The best first.
    pub rows: Vec<CardRow>,
}

/// One contender in it.
pub(super) struct CardRow {
    /// Index of its entry.
    pub index: usize,
    pub name: String,
    /// Is it the second entry of a contender?
    pub is_control: bool,
    pub mark: Option<Mark>,
    pub median: String,
    pub range: Option<String>,
    pub place: Option<usize>,
    /// Are there remarks on its trials?
    pub is_remarked: bool,
}

/// What is drawn: places in percent of the scale.
pub(super) struct Mark {
    pub low: String,
    pub high: String,
    pub median: Option<String>,
    /// Trials that do not count.
    pub invalid: Vec<String>,
}

impl Card {
    /// On its own scale, or on one that it shares with others.
    pub fn of(run: &Run, sheet: &Sheet<'_>, figure: usize, row: &Row, shared: Option<Scale>) -> Self {
        let scale = shared.or_else(|| Scale::of(Self::values(row)));
        let mut order: Vec<usize> = (0..row.cells.len()).collect();
        // Of a share of the ceiling more is better, of any other figure that nothing is won by it is a cost.
        let sign = row.better.unwrap_or(if row.name.ends_with("(%)") { 1.0 } else { -1.0 });
        let rank = |i: &usize| match &row.cells[*i].value {
            Ok(estimate) => -estimate.median * sign,
            Err(_) => f64::INFINITY,
        };
        order.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        let rows = order.into_iter().map(|i| {
            let (cell, entry) = (&row.cells[i], sheet.columns[i]);
            CardRow {
                index: run.entry_index(&entry.name),
                name: entry.name.clone(),
                is_control: entry.is_control(),
                mark: scale.map(|scale| Mark::of(cell, scale)),
                median: median(cell),
                range: cell.value.as_ref().ok().and_then(range),
                place: cell.place,
                is_remarked: sheet.notes.iter().any(|note| note.contender == entry.name),
            }
        });
        let (name, unit) = name_and_unit(&row.name);
        Self {
            figure,
            name: name.to_owned(),
            unit: unit.to_owned(),
            better: match row.better {
                Some(better) if better > 0.0 => "more is better",
                Some(_) => "less is better",
                None => "",
            },
            noise: row.noise_floor.map(|floor| number((floor - 1.0) * 100.0)),
            ends: scale.map(|scale| scale.ends()),
            is_log: scale.is_some_and(|scale| scale.is_log),
            rows: rows.collect(),
        }
    }

    /// All that is drawn of a figure.
    pub fn values(row: &Row) -> impl Iterator<Item = f64> + '_ {
        row.cells.iter().flat_map(|cell| {
            let interval = cell.value.iter().flat_map(|estimate| [estimate.interval.0, estimate.interval.1]);
            interval.chain(cell.invalid.iter().copied())
        })
    }
}

impl Mark {
    fn of(cell: &Cell, scale: Scale) -> Self {
        let at = |value: f64| percent(scale.at(value));
        let estimate = cell.value.as_ref().ok();
        let (low, high) = estimate.map_or((0.0, 0.0), |estimate| estimate.interval);
        Self {
            low: at(low),
            high: at(high),
            median: estimate.map(|estimate| at(estimate.median)),
            invalid: cell.invalid.iter().map(|value| at(*value)).collect(),
        }
    }
}

/// The figure alone, or why there is none.
pub(super) fn median(cell: &Cell) -> String {
    match &cell.value {
        Ok(estimate) => format!("{}{}", cell.bound.sign(), number(estimate.median)),
        Err(missing) => (*missing).to_owned(),
    }
}

/// A share in percent, to a tenth, between the ends' margins.
fn percent(share: f64) -> String {
    let text = format!("{:.1}", 2.0 + share * 96.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
