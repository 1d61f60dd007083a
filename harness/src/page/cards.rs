//! Dots and whiskers: a figure of all contenders, beside its numbers.

use super::scale::Scale;
use crate::report::{Cell, Compared, Figure, Job, Row, Sheet, name_and_unit, number, range};
use crate::results::{Entry, Run};

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
    /// Are its rows transports, of one contender after the other?
    pub is_by_transport: bool,
    /// The best first.
    pub rows: Vec<CardRow>,
}

/// One contender in it.
pub(super) struct CardRow {
    /// Index of its entry.
    pub index: usize,
    pub name: String,
    /// Of a card by transport, the load's number.
    pub load: Option<usize>,
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
    /// Of one load.
    pub fn of(run: &Run, sheet: &Sheet<'_>, figure: usize, row: &Row) -> Self {
        let scale = Scale::of(row.cells.iter().flat_map(values));
        // Of a share of the ceiling more is better, of any other figure that nothing is won by it is a cost.
        let sign = row.better.unwrap_or(if row.name.ends_with("(%)") { 1.0 } else { -1.0 });
        let mut order: Vec<usize> = (0..row.cells.len()).collect();
        order.sort_by(|a, b| rank(&row.cells[*a], sign).total_cmp(&rank(&row.cells[*b], sign)));
        let rows = order.into_iter().map(|i| {
            let (cell, entry) = (&row.cells[i], sheet.columns[i]);
            let is_remarked = sheet.notes.iter().any(|note| note.contender == entry.name);
            CardRow { is_remarked, ..CardRow::of(run, entry, cell, scale) }
        });
        let rows = rows.collect();
        let noise = row.noise_floor.map(|floor| number((floor - 1.0) * 100.0));
        Self { noise, rows, ..Self::headed(figure, &row.name, row.better, scale) }
    }

    /// Of a job: the transports of one contender after the other, the best first. `load` tells a way's number among all loads.
    pub fn by_transport(
        run: &Run,
        job: &Job<'_>,
        compared: &Compared,
        figure: usize,
        load: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let scale = Scale::of(compared.cells.iter().flatten().flat_map(values));
        let sign = compared.figure.better.unwrap_or(-1.0);
        let best = |cells: &[Cell]| cells.iter().map(|cell| rank(cell, sign)).fold(f64::INFINITY, f64::min);
        let mut order: Vec<_> = job.contenders.iter().zip(&compared.cells).collect();
        order.sort_by(|(_, a), (_, b)| best(a).total_cmp(&best(b)));
        let rows = order.into_iter().flat_map(|(entry, cells)| {
            let mut ways: Vec<usize> = (0..cells.len()).collect();
            ways.sort_by(|a, b| rank(&cells[*a], sign).total_cmp(&rank(&cells[*b], sign)));
            ways.into_iter().map(|way| {
                let row = CardRow::of(run, entry, &cells[way], scale);
                CardRow {
                    name: format!("{} · {}", row.name, job.ways[way].transport),
                    load: load(way),
                    ..row
                }
            })
        });
        let rows = rows.collect();
        let noise = (compared.noise_floor > 1.0).then(|| number((compared.noise_floor - 1.0) * 100.0));
        let Figure { name, better, .. } = *compared.figure;
        Self { noise, rows, is_by_transport: true, ..Self::headed(figure, name, better, scale) }
    }

    fn headed(figure: usize, name: &str, better: Option<f64>, scale: Option<Scale>) -> Self {
        let (name, unit) = name_and_unit(name);
        Self {
            figure,
            name: name.to_owned(),
            unit: unit.to_owned(),
            better: match better {
                Some(better) if better > 0.0 => "more is better",
                Some(_) => "less is better",
                None => "",
            },
            noise: None,
            ends: scale.map(|scale| scale.ends()),
            is_log: scale.is_some_and(|scale| scale.is_log),
            is_by_transport: false,
            rows: Vec::new(),
        }
    }
}

impl CardRow {
    fn of(run: &Run, entry: &Entry, cell: &Cell, scale: Option<Scale>) -> Self {
        Self {
            index: run.entry_index(&entry.name),
            name: entry.name.clone(),
            load: None,
            is_control: entry.is_control(),
            mark: scale.map(|scale| Mark::of(cell, scale)),
            median: median(cell),
            range: cell.value.as_ref().ok().and_then(range),
            place: cell.place,
            is_remarked: false,
        }
    }
}

/// All that is drawn of a figure.
fn values(cell: &Cell) -> impl Iterator<Item = f64> + '_ {
    let interval = cell.value.iter().flat_map(|estimate| [estimate.interval.0, estimate.interval.1]);
    interval.chain(cell.invalid.iter().copied())
}

/// By which cells are sorted, the best first.
fn rank(cell: &Cell, sign: f64) -> f64 {
    cell.value.as_ref().map_or(f64::INFINITY, |estimate| -estimate.median * sign)
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
