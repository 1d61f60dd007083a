//! What won at what, with ties as ties.

use super::number;
use super::number::plus_minus;
use super::sheet::{CEILING, Row, Sheet};
use crate::plan::ToolName;
use crate::results::{Entry, Run};
use crate::stats::Estimate;

/// What is won, as the columns of the table: what the server can do, and what it costs.
pub(crate) const COLUMNS: [&str; 5] = ["Most", "Median latency", "p99 latency", "CPU", "Memory"];

/// Who won what of a load.
pub(crate) struct Answer {
    pub id: usize,
    pub title: String,
    /// Whom the load was asked of, ceiling and control left out, by their places in the run.
    pub asked: Vec<(usize, String)>,
    /// Are they all of the run's?
    pub asks_all: bool,
    /// One a column; none where the load has no such figure.
    pub wins: Vec<Option<Win>>,
}

/// Who is first in one figure.
pub(crate) struct Win {
    /// Of those that the data cannot tell apart all; none if no place could be given.
    pub names: Vec<(usize, String)>,
    /// Are they all that were measured?
    pub is_all: bool,
    /// The best of their medians, with its unit and how far its interval reaches.
    pub best: String,
}

/// `Latency p99 (ms)` is a name and a unit; `Deliveries/s` is a name alone.
pub(crate) fn name_and_unit(text: &str) -> (&str, &str) {
    text.strip_suffix(')').and_then(|text| text.rsplit_once(" (")).unwrap_or((text, ""))
}

impl Win {
    pub fn is_time(&self) -> bool {
        self.best.contains(" ms")
    }
}

/// How often a contender was first.
pub(crate) struct Firsts {
    pub index: usize,
    pub name: String,
    pub alone: usize,
    pub tied: usize,
    pub of: usize,
}

impl Firsts {
    pub fn percent_alone(&self) -> usize {
        self.alone * 100 / self.of.max(1)
    }

    pub fn percent_tied(&self) -> usize {
        self.tied * 100 / self.of.max(1)
    }
}

impl Answer {
    /// None of a load with nothing to win: of one contender alone, or by another's tool, whose limit may be its own.
    pub fn of(run: &Run, id: usize, sheet: &Sheet<'_>) -> Option<Self> {
        let index = |entry: &&Entry| (run.entry_index(&entry.name), entry.name.clone());
        let asked: Vec<_> = sheet
            .columns
            .iter()
            .copied()
            .filter(|entry| is_candidate(entry))
            .map(|entry| index(&entry))
            .collect();
        if asked.len() < 2 || sheet.load.tool() != ToolName::Loadgen {
            return None;
        }
        let win = |column: usize| {
            let row = sheet.rows.iter().find(|row| column_of(row) == Some(column))?;
            win(run, sheet, row)
        };
        let wins: Vec<Option<Win>> = (0..COLUMNS.len()).map(win).collect();
        // Such as one that each is driven under at a rate of its own.
        wins.iter().any(Option::is_some).then(|| Self {
            id,
            title: sheet.load.to_string(),
            asks_all: asked.len() == run.header.contenders.iter().filter(|entry| is_candidate(entry)).count(),
            asked,
            wins,
        })
    }
}

/// The ceiling is no framework to pick, and the control no contender.
fn is_candidate(entry: &Entry) -> bool {
    entry.name != CEILING && !entry.is_control()
}

/// The column that a figure belongs to.
pub(super) fn column_of(row: &Row) -> Option<usize> {
    row.better?;
    column_named(&row.name, row.is_rate)
}

/// The column of a figure that can be won, by its name.
pub(super) fn column_named(name: &str, is_rate: bool) -> Option<usize> {
    let name = name.to_lowercase();
    let is = |text: &str| name.contains(text);
    if is("service time") {
        None
    } else if is_rate {
        Some(0)
    } else if is("median") {
        Some(1)
    } else if is("p99") {
        Some(2)
    } else if is("cpu") {
        Some(3)
    } else {
        is("memory").then_some(4)
    }
}

/// Who is first in a figure; the control has no place.
fn win(run: &Run, sheet: &Sheet<'_>, row: &Row) -> Option<Win> {
    let ranked: Vec<(usize, usize)> = (0..row.cells.len())
        .filter(|i| sheet.columns[*i].name != CEILING)
        .filter_map(|i| Some((i, row.cells[i].place?)))
        .collect();
    let first = ranked.iter().map(|(_, place)| *place).min()?;
    let winners: Vec<usize> = ranked.iter().filter(|(_, place)| *place == first).map(|(i, _)| *i).collect();
    let sign = row.better.unwrap_or(1.0);
    let estimates = winners.iter().filter_map(|i| Some((row.cells[*i].value.as_ref().ok()?, *i)));
    // A figure of another state of the machine may look better than it is.
    let key = |(estimate, i): &(&Estimate, usize)| (!row.cells[*i].is_elsewhere, estimate.median * sign);
    let (best, i) = estimates.max_by(|a, b| key(a).0.cmp(&key(b).0).then(key(a).1.total_cmp(&key(b).1)))?;
    // `Deliveries/s` is both.
    let unit = match name_and_unit(&row.name) {
        (name, "") => name.to_lowercase(),
        (_, unit) => unit.to_owned(),
    };
    // Such as that of the first item, or of a whole countdown.
    let of = match name_and_unit(&row.name) {
        (name, "ms") if !name.to_lowercase().contains("latency") => format!(", {}", name.to_lowercase()),
        _ => String::new(),
    };
    Some(Win {
        is_all: winners.len() == ranked.len() && ranked.len() > 1,
        names: winners
            .into_iter()
            .map(|i| (run.entry_index(&sheet.columns[i].name), sheet.columns[i].name.clone()))
            .collect(),
        best: format!(
            "{}{} {unit}{}{}{of}",
            row.cells[i].bound.sign(),
            number(best.median),
            plus_minus(best),
            row.cells[i].mark()
        ),
    })
}

/// How often each was first, alone or with others, among the figures of the table that it was asked for; the greatest share first.
pub(crate) fn firsts(run: &Run, answers: &[Answer]) -> Vec<Firsts> {
    let candidates = run.header.contenders.iter().enumerate();
    let mut firsts: Vec<Firsts> = candidates
        .filter(|(_, entry)| is_candidate(entry))
        .map(|(index, entry)| {
            let asked = answers.iter().filter(|answer| answer.asked.iter().any(|(asked, _)| *asked == index));
            let wins: Vec<&Win> = asked.flat_map(|answer| answer.wins.iter().flatten()).collect();
            let won = wins.iter().filter(|win| win.names.iter().any(|(winner, _)| *winner == index));
            let alone = won.clone().filter(|win| win.names.len() == 1).count();
            Firsts { index, name: entry.name.clone(), alone, tied: won.count() - alone, of: wins.len() }
        })
        .collect();
    firsts.sort_by_key(|first| {
        std::cmp::Reverse((first.percent_alone() + first.percent_tied(), first.percent_alone()))
    });
    firsts
}
