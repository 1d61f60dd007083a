//! How well the figures of a run are known, and whether that is well enough.

use std::fmt;

use crate::plan::Load;
use crate::report::figures;
use crate::results::{Entry, Figured, Header, Measured, Outcome, Run, States, Trial};
use crate::stats::{Seen, estimates};

/// Of fewer valid trials in one state of the machine an interval is not judged: by chance it is narrow too often.
const LEAST_TRIALS: usize = 6;

/// One contender under one load, and what its figures still lack.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The contender's name in the run.
    pub contender: String,
    /// The load.
    pub load: Load,
    /// What it lacks; nothing if it is known well enough.
    pub lacks: Vec<Lacking>,
}

/// What a cell lacks.
#[derive(Debug, Clone, PartialEq)]
pub enum Lacking {
    /// So many valid trials in one state of the machine, fewer than its interval may be judged by.
    Trials(usize),
    /// Not one valid trial among as many as it may be judged by: it is not waited for any longer.
    Valid,
    /// A narrower interval of this figure, which is now so many percent of it to either side.
    Precision(&'static str, f64),
}

impl Cell {
    /// Would more rounds help?
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.lacks.is_empty() && !self.lacks.contains(&Lacking::Valid)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lacks: Vec<String> = self.lacks.iter().map(ToString::to_string).collect();
        write!(f, "{}, {}: {}", self.contender, self.load, lacks.join(", "))
    }
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trials(valid) => {
                write!(f, "{valid} valid trials in one state of the machine, of {LEAST_TRIALS} needed")
            }
            Self::Valid => write!(f, "none of the last {LEAST_TRIALS} trials valid"),
            Self::Precision(figure, percent) => write!(f, "{figure} ±{percent:.1} %"),
        }
    }
}

/// How a run with [`Until`](crate::plan::Until) ended, or where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// Rounds behind the profile's that were begun.
    pub rounds: u32,
    /// What they took, in seconds.
    pub spent_s: f64,
    /// The cells that lack something.
    pub open: Vec<Cell>,
}

/// How the run ended; `None`: it was to take its profile's rounds and no more.
#[must_use]
pub fn ending(run: &Run) -> Option<Ending> {
    let header = &run.header;
    let until = header.profile.until?;
    let trials: Vec<&Trial> = run.trials.iter().collect();
    let cells = header.profile.loads.iter().flat_map(|load| cells(header, &trials, load, until.percent));
    let last = trials.iter().map(|trial| trial.slot.round).max().unwrap_or(0);
    Some(Ending {
        rounds: last.saturating_sub(header.profile.rounds.get()),
        spent_s: spent_s(header, &trials),
        open: cells.filter(|cell| !cell.lacks.is_empty()).collect(),
    })
}

/// What the rounds behind the profile's have taken, in seconds.
pub(super) fn spent_s(header: &Header, trials: &[&Trial]) -> f64 {
    let further = trials.iter().filter(|trial| trial.slot.round > header.profile.rounds.get());
    further.filter_map(|trial| trial.took_s).sum()
}

/// The cells of a load, and what each lacks to be known to so many percent.
pub(super) fn cells<'a>(header: &Header, trials: &[&'a Trial], load: &Load, percent: f64) -> Vec<Cell> {
    let entries: Vec<&Entry> = header.asked(load).into_iter().filter(|entry| entry.takes(load)).collect();
    let of_entry = |entry: &&Entry| -> Vec<&'a Trial> {
        let own = |trial: &&&Trial| trial.slot.contender == entry.name && trial.slot.load == *load;
        trials.iter().filter(own).copied().collect()
    };
    let taken: Vec<Vec<&Trial>> = entries.iter().map(of_entry).collect();
    let states = States::of(trials.iter().copied());
    let of_one_state = |trials: &Vec<&'a Trial>| {
        states.of_one(trials.iter().filter_map(|trial| Some((*trial, valid(trial)?))).collect())
    };
    let shown: Vec<Vec<Figured<'_>>> = taken.iter().map(of_one_state).collect();
    let mut cells: Vec<Cell> = entries
        .iter()
        .zip(taken.iter().zip(&shown))
        .map(|(entry, (trials, shown))| Cell {
            contender: entry.name.clone(),
            load: load.clone(),
            lacks: too_few(trials, shown.len()).into_iter().collect(),
        })
        .collect();
    for figure in figures(load).into_iter().filter(|figure| figure.decides) {
        let seen = |&(trial, measured): &Figured<'_>| {
            Some(Seen { round: trial.slot.round, value: (figure.of)(measured)? })
        };
        let seen: Vec<Vec<Seen>> =
            shown.iter().map(|trials| trials.iter().filter_map(seen).collect()).collect();
        for (cell, estimate) in cells.iter_mut().zip(estimates(&seen)) {
            let half_width = estimate.map_or(0.0, |estimate| estimate.relative_half_width() * 100.0);
            if half_width > percent {
                cell.lacks.push(Lacking::Precision(figure.name, half_width));
            }
        }
    }
    cells
}

fn too_few(trials: &[&Trial], shown: usize) -> Option<Lacking> {
    let is_hopeless = |last: &[&Trial]| last.iter().all(|trial| valid(trial).is_none());
    if trials.len().checked_sub(LEAST_TRIALS).is_some_and(|first| is_hopeless(&trials[first..])) {
        return Some(Lacking::Valid);
    }
    (shown < LEAST_TRIALS).then_some(Lacking::Trials(shown))
}

/// The figures of a trial that count.
fn valid(trial: &Trial) -> Option<&Measured> {
    match &trial.outcome {
        Outcome::Measured(measured) if measured.is_valid() => Some(measured),
        _ => None,
    }
}
