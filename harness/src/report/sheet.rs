use std::collections::BTreeMap;

use super::costs::costs_of;
use super::figures::{Figure, Of, figures, performance};
use super::number;
use super::standing::{estimated, is_lower_bound, shown, standing, valid};
use crate::plan::Load;
use crate::results::{Entry, Figured, Outcome, Run, States, Trial};
use crate::stats::{Estimate, Seen, estimates};

/// The contender that the others are shown against.
pub(crate) const CEILING: &str = "ceiling";

/// The figures of one load: what every form of a report is made of.
pub(crate) struct Sheet<'a> {
    pub load: &'a Load,
    /// The contenders, those that do not serve the load left out.
    pub columns: Vec<&'a Entry>,
    pub rows: Vec<Row>,
    /// Where the cost lies: only what the trials recorded, which in older results is less.
    pub costs: Vec<Row>,
    /// What speaks against figures, and why others are missing.
    pub notes: Vec<Note>,
}

/// One figure of all contenders.
pub(crate) struct Row {
    /// Name and unit.
    pub name: String,
    /// 1 if more is better, −1 if less is; none where there is nothing to win.
    pub better: Option<f64>,
    /// Is it what a server can do, of which there may be no more than a lower bound?
    pub is_rate: bool,
    /// By what factor the control differs from its original.
    pub noise_floor: Option<f64>,
    /// In the order of the columns.
    pub cells: Vec<Cell>,
}

/// One figure of one contender.
pub(crate) struct Cell {
    /// Over its valid trials of one state of the machine, or in a word why there is none.
    pub value: Result<Estimate, &'static str>,
    /// Is it of another state of the machine than most trials are?
    pub is_elsewhere: bool,
    pub bound: Bound,
    /// Contenders that the data cannot tell apart share one.
    pub place: Option<usize>,
    /// Of trials that do not count.
    pub invalid: Vec<f64>,
}

/// Is a figure the truth, or a bound of it, since the load generator was the limit?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    None,
    AtLeast,
    AtMost,
}

/// What there is to say of a trial, or of a contender without one.
pub(crate) struct Note {
    pub contender: String,
    pub round: Option<u32>,
    pub text: String,
}

impl<'a> Sheet<'a> {
    pub fn of(run: &'a Run, load: &'a Load) -> Self {
        let columns = columns(run, load);
        let states = &States::of(&run.trials);
        let mut rows: Vec<Row> =
            figures(load).into_iter().map(|figure| row(run, states, &columns, load, figure)).collect();
        rows.extend(share_of_ceiling(run, states, &columns, load));
        let costs = cost_rows(run, &columns, load);
        let absent = run.header.contenders.iter().filter(|entry| !entry.manifest.takes(load));
        let absent = absent.map(|entry| Note {
            contender: entry.name.clone(),
            round: None,
            text: "does not serve this".to_owned(),
        });
        let elsewhere = columns.iter().filter_map(|entry| elsewhere(run, states, entry, load));
        let notes = columns.iter().flat_map(|entry| notes(run, entry, load)).chain(elsewhere).chain(absent);
        let notes = notes.collect();
        Self { load, columns, rows, costs, notes }
    }
}

impl Row {
    /// Its name, with what it cannot tell apart.
    pub fn title(&self) -> String {
        self.noise_floor.map_or(self.name.clone(), |floor| {
            format!("{}; noise {} %", self.name, number::number((floor - 1.0) * 100.0))
        })
    }
}

impl Bound {
    /// Before the figure.
    pub fn sign(self) -> &'static str {
        match self {
            Self::None => "",
            Self::AtLeast => "≥ ",
            Self::AtMost => "≤ ",
        }
    }
}

impl Cell {
    /// Behind a figure of another state of the machine.
    pub fn mark(&self) -> &'static str {
        if self.is_elsewhere { "‡" } else { "" }
    }

    /// The figure with its error, and its place.
    pub fn text(&self) -> String {
        let place = self.place.map_or(String::new(), |place| format!(" #{place}"));
        match &self.value {
            Err(missing) => format!("{missing}{place}"),
            Ok(estimate) => {
                format!("{}{}{}{place}", self.bound.sign(), number::estimate(estimate), self.mark())
            }
        }
    }
}

/// The contenders that serve a load.
pub(super) fn columns<'a>(run: &'a Run, load: &Load) -> Vec<&'a Entry> {
    run.header.asked(load)
}

pub(super) fn cost_rows(run: &Run, columns: &[&Entry], load: &Load) -> Vec<Row> {
    let states = &States::of(&run.trials);
    let is_recorded = |figure: &&Figure| {
        let has =
            |entry: &&Entry| shown(run, states, entry, load).iter().any(|(_, m)| (figure.of)(m).is_some());
        columns.iter().any(has)
    };
    let recorded = costs_of(load).into_iter().filter(is_recorded);
    recorded.map(|figure| row(run, states, columns, load, figure)).collect()
}

fn row(run: &Run, states: &States, columns: &[&Entry], load: &Load, figure: &Figure) -> Row {
    let standing = standing(run, load, figure, columns);
    let cell = |(entry, estimate): (&&Entry, Option<Estimate>)| {
        let place = standing.as_ref().and_then(|standing| standing.places.get(&entry.name).copied());
        Cell { place, ..cell(run, states, entry, load, figure, estimate) }
    };
    Row {
        name: figure.name.to_owned(),
        better: figure.better,
        is_rate: figure.is_rate,
        noise_floor: standing.as_ref().and_then(|standing| standing.noise_floor),
        cells: columns.iter().zip(estimated(run, states, load, columns, figure.of)).map(cell).collect(),
    }
}

/// One contender's figure, without a place yet.
pub(super) fn cell(
    run: &Run,
    states: &States,
    entry: &Entry,
    load: &Load,
    figure: &Figure,
    estimate: Option<Estimate>,
) -> Cell {
    let shown = shown(run, states, entry, load);
    Cell {
        value: estimate.ok_or_else(|| missing(run, entry, load)),
        is_elsewhere: is_elsewhere(states, &shown),
        bound: if figure.is_rate && is_lower_bound(shown) { Bound::AtLeast } else { Bound::None },
        place: None,
        invalid: invalid(run, entry, load, figure.of),
    }
}

/// Ratios are taken within a round and a state of the machine, where both were measured back to back. Of a ceiling that the load generator limited they are
/// upper bounds, and of another that it limited as well they are nothing.
fn share_of_ceiling(run: &Run, states: &States, columns: &[&Entry], load: &Load) -> Option<Row> {
    let ceiling = columns.iter().find(|entry| entry.name == CEILING)?;
    let (compared, of) = performance(load);
    let of_ceiling =
        |(trial, measured): Figured<'_>| Some(((trial.slot.round, states.index_of(measured)), of(measured)?));
    let limit: BTreeMap<(u32, usize), f64> = valid(run, ceiling, load).filter_map(of_ceiling).collect();
    if limit.is_empty() {
        return None;
    }
    let seen = |entry: &&Entry| -> Vec<Seen> {
        let share = |(trial, measured): Figured<'_>| {
            let round = trial.slot.round;
            let limit = limit.get(&(round, states.index_of(measured)))?;
            Some(Seen { round, value: of(measured)? / limit * 100.0 })
        };
        shown(run, states, entry, load).into_iter().filter_map(share).collect()
    };
    let shares = estimates(&columns.iter().map(seen).collect::<Vec<_>>());
    let is_bounded = |entry: &Entry| compared != "CPU" && is_lower_bound(shown(run, states, entry, load));
    let ceiling_is_bounded = is_bounded(ceiling);
    let cell = |(entry, share): (&&Entry, Option<Estimate>)| {
        let share = share.ok_or_else(|| missing(run, entry, load));
        let (value, bound) = match (is_bounded(entry), ceiling_is_bounded) {
            _ if entry.name == CEILING => (share, Bound::None),
            (false, false) => (share, Bound::None),
            (false, true) => (share, Bound::AtMost),
            (true, false) => (share, Bound::AtLeast),
            (true, true) => (share.and(Err("both ≥")), Bound::None),
        };
        let is_elsewhere = is_elsewhere(states, &shown(run, states, entry, load));
        Cell { value, is_elsewhere, bound, place: None, invalid: Vec::new() }
    };
    Some(Row {
        name: format!("Share of the ceiling, by {compared} (%)"),
        better: None,
        is_rate: false,
        noise_floor: None,
        cells: columns.iter().zip(shares).map(cell).collect(),
    })
}

fn invalid(run: &Run, entry: &Entry, load: &Load, of: Of) -> Vec<f64> {
    let of_trial = |trial: &Trial| match &trial.outcome {
        Outcome::Measured(measured) if !measured.is_valid() => of(measured),
        _ => None,
    };
    run.cell(&entry.name, load).filter_map(of_trial).collect()
}

/// Why a cell has no figure, in a word; its note tells more.
pub(super) fn missing(run: &Run, entry: &Entry, load: &Load) -> &'static str {
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

/// Says that a cell is of another state of the machine than others, since it has no valid trial in theirs.
fn elsewhere(run: &Run, states: &States, entry: &Entry, load: &Load) -> Option<Note> {
    is_elsewhere(states, &shown(run, states, entry, load)).then(|| Note {
        contender: entry.name.clone(),
        round: None,
        text:
            "‡ no valid trial in the state of the machine that most were taken in: its figures are of another"
                .to_owned(),
    })
}

fn is_elsewhere(states: &States, shown: &[Figured<'_>]) -> bool {
    shown.first().is_some_and(|(_, measured)| states.is_elsewhere(measured))
}

fn notes(run: &Run, entry: &Entry, load: &Load) -> Vec<Note> {
    let note = |round, text| Note { contender: entry.name.clone(), round, text };
    let mut said: Vec<Note> = entry
        .failed
        .iter()
        .map(|failed| note(None, with_log(failed.failure.to_string(), &failed.log_tail)))
        .collect();
    for Trial { slot, outcome, .. } in run.cell(&entry.name, load) {
        let round = Some(slot.round);
        match outcome {
            Outcome::Failed(failed) => {
                said.push(note(round, with_log(failed.failure.to_string(), &failed.log_tail)));
            }
            Outcome::Measured(measured) => {
                said.extend(measured.doubts.iter().map(|doubt| note(round, doubt.to_string())));
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

#[cfg(test)]
mod tests;
