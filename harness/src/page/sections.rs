//! What the page says of one load.

use super::cards::Card;
use super::chart::Chart;
use super::curves::charts;
use crate::report::{Cell, Note, Row, Sheet};
use crate::results::{Entry, Outcome, Run};

/// Beside the figures that can be won, what a reader looks for.
const WANTED: &str = "Server memory, active (KiB/connection)";

/// One load.
pub(super) struct Section {
    pub id: usize,
    pub title: String,
    pub cards: Vec<Card>,
    pub charts: Vec<Chart>,
    /// The figures that have no card.
    pub others: Vec<Other>,
    pub columns: Vec<(usize, String)>,
    pub verdicts: Vec<Verdict>,
}

/// Loads that belong together.
pub(super) struct Group {
    /// Of those by transport, the job's number.
    pub job: Option<usize>,
    pub title: String,
    pub cards: Vec<Card>,
    pub charts: Vec<Chart>,
}

/// A figure as a line of a table.
pub(super) struct Other {
    pub name: String,
    pub cells: Vec<String>,
}

/// What is to be thought of a contender's trials.
pub(super) struct Verdict {
    pub index: usize,
    pub name: String,
    pub valid: usize,
    pub invalid: usize,
    pub failed: usize,
    pub remarks: Vec<String>,
}

/// The figures of a load that the page shows, each with its index: of a long run those with a card.
pub(super) fn shown<'s>(sheet: &'s Sheet<'_>, is_thin: bool) -> impl Iterator<Item = (usize, &'s Row)> {
    sheet.rows.iter().chain(&sheet.costs).enumerate().filter(move |(_, row)| !is_thin || has_card(row))
}

fn has_card(row: &Row) -> bool {
    row.better.is_some() || row.name == WANTED || row.name.starts_with("Share of the ceiling")
}

impl Section {
    pub fn of(run: &Run, id: usize, sheet: &Sheet<'_>, is_thin: bool) -> Self {
        let (with_card, without): (Vec<_>, Vec<_>) =
            shown(sheet, is_thin).partition(|(_, row)| has_card(row));
        let cards = with_card.into_iter().map(|(figure, row)| Card::of(run, sheet, figure, row));
        let others = without
            .into_iter()
            .map(|(_, row)| Other { name: row.title(), cells: row.cells.iter().map(Cell::text).collect() });
        let index = |name: &str| run.entry_index(name);
        Self {
            id,
            title: sheet.load.to_string(),
            cards: cards.collect(),
            charts: charts(run, sheet, is_thin),
            others: others.collect(),
            columns: sheet.columns.iter().map(|entry| (index(&entry.name), entry.name.clone())).collect(),
            verdicts: verdicts(run, sheet, is_thin),
        }
    }
}

/// Of those of whose trials there is something to tell; of a long run the first of it.
fn verdicts(run: &Run, sheet: &Sheet<'_>, is_thin: bool) -> Vec<Verdict> {
    let of = |entry: &&Entry| {
        let count = |is: fn(&Outcome) -> bool| {
            run.cell(&entry.name, sheet.load).filter(|trial| is(&trial.outcome)).count()
        };
        let own: Vec<&Note> = sheet.notes.iter().filter(|note| note.contender == entry.name).collect();
        let told = if is_thin { own.len().min(1) } else { own.len() };
        let more = (told < own.len()).then(|| format!("and {} more", own.len() - told));
        let remark = |note: &&Note| match note.round {
            Some(round) => format!("round {round}: {}", note.text),
            None => note.text.clone(),
        };
        Verdict {
            index: run.entry_index(&entry.name),
            name: entry.name.clone(),
            valid: count(|outcome| matches!(outcome, Outcome::Measured(m) if m.is_valid())),
            invalid: count(|outcome| matches!(outcome, Outcome::Measured(m) if !m.is_valid())),
            failed: count(|outcome| matches!(outcome, Outcome::Failed(_))),
            remarks: own[..told].iter().map(remark).chain(more).collect(),
        }
    };
    let is_telling = |verdict: &Verdict| verdict.invalid + verdict.failed > 0 || !verdict.remarks.is_empty();
    sheet.columns.iter().map(of).filter(is_telling).collect()
}
