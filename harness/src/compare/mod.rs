//! Two results: what changed, and what is noise.

mod comparable;
mod page;

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::Serialize;

pub use comparable::Obstacle;
pub use page::markdown;

use crate::plan::Load;
use crate::report::{CEILING, Figure, figures, noise_floor};
use crate::results::{Outcome, Run, States};
use crate::stats::{Difference, Pair, Tagged, changes};

/// All that two runs can be compared in: what `compare --json` prints. Its fields stay as they are; others may be added.
#[derive(Debug, Clone, JsonSchema, Serialize)]
pub struct Compared {
    /// Name of the first run.
    pub before: String,
    /// Name of the second.
    pub after: String,
    /// What is not the same in both, and so may be what changed a figure.
    pub circumstances: Vec<String>,
    /// Every figure of every cell of either.
    pub rows: Vec<Row>,
}

/// One figure of one cell.
#[derive(Debug, Clone, JsonSchema, Serialize)]
pub struct Row {
    /// The load, as people read it.
    pub load: String,
    /// The contender.
    pub contender: String,
    /// The figure, with its unit.
    pub figure: &'static str,
    /// What was found.
    pub finding: Finding,
}

/// What two runs say of one figure.
#[derive(Debug, Clone, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// The second run's is better.
    Better(Change),
    /// The second run's is worse.
    Worse(Change),
    /// The data cannot tell the difference from none.
    NoDifferenceSeen(Change),
    /// It differs, but by no more than the machine did: what it is held against moved as well.
    MachineChanged(Change),
    /// They cannot be compared.
    NotComparable {
        /// What keeps them from it.
        obstacle: Obstacle,
        /// What it is, in words.
        because: String,
    },
}

/// By how much a figure changed.
#[derive(Debug, Clone, Copy, JsonSchema, Serialize)]
pub struct Change {
    /// Geometric mean of the first run's trials in one state of the machine: of those that both runs have seen, the one with most trials.
    pub before: f64,
    /// Of the second's in the same state.
    pub after: f64,
    /// After ÷ before, within the states of the machine that both have seen.
    pub ratio: f64,
    /// The ratio's 95 % interval, for all rows at once.
    pub interval: (f64, f64),
    /// The ratio ÷ that of the ceiling, or for the ceiling and where there is none, of the other contenders; `None` where
    /// nothing is there to hold it against.
    pub beyond: Option<Ratio>,
}

/// A ratio that is known to be within an interval.
#[derive(Debug, Clone, Copy, JsonSchema, Serialize)]
pub struct Ratio {
    /// What it most likely is.
    pub ratio: f64,
    /// Its 95 % interval, for all rows at once.
    pub interval: (f64, f64),
}

impl Ratio {
    /// Of a difference of logarithms.
    fn of(Difference { value, half_width }: Difference) -> Self {
        Self { ratio: value.exp(), interval: ((value - half_width).exp(), (value + half_width).exp()) }
    }
}

/// Compares two runs.
#[must_use]
pub fn compare(before: &Run, after: &Run) -> Compared {
    let mut rows = Vec::new();
    let mut loads: Vec<&Load> = before.header.profile.loads.iter().map(|asked| &asked.load).collect();
    let of_before = loads.clone();
    let of_after = after.header.profile.loads.iter().map(|asked| &asked.load);
    loads.extend(of_after.filter(|load| !of_before.contains(load)));
    let obstacle = comparable::obstacle(&before.header, &after.header);
    let mut names: Vec<&str> = before.header.contenders.iter().map(|entry| entry.name.as_str()).collect();
    names.extend(
        after.header.contenders.iter().map(|entry| entry.name.as_str()).filter(|name| !before.has(name)),
    );
    // States are told apart over both runs: a state that one has not seen is then not taken for another.
    let states = States::of(before.trials.iter().chain(&after.trials));
    let mut pairs = Vec::new();
    let mut family = 0;
    for load in loads {
        for figure in figures(load).into_iter().filter(|figure| figure.better.is_some()) {
            family += 1;
            let first = pairs.len();
            for name in &names {
                let pair = Pair {
                    family,
                    before: tagged(&states, before, name, load, figure),
                    after: tagged(&states, after, name, load, figure),
                    beside: beside(&names, name).map(|place| first + place).collect(),
                };
                pairs.push((load, figure, *name, pair));
            }
        }
    }
    let cells: Vec<Pair> = pairs.iter().map(|(.., pair)| pair.clone()).collect();
    for ((load, figure, name, pair), difference) in pairs.into_iter().zip(changes(&cells)) {
        if pair.before.is_empty() && pair.after.is_empty() {
            continue;
        }
        let obstacle = obstacle.clone().or_else(|| comparable::of_cell([before, after], name, load, &pair));
        let finding = match (obstacle, difference) {
            (Some((obstacle, because)), _) => Finding::NotComparable { obstacle, because },
            (None, None) => {
                let (obstacle, because) = comparable::too_little();
                Finding::NotComparable { obstacle, because }
            }
            (None, Some(found)) => {
                let Ratio { ratio, interval } = Ratio::of(found.all);
                let (before_mean, after_mean) = means(&pair);
                let beyond = found.beyond.map(Ratio::of);
                let change = Change { before: before_mean, after: after_mean, ratio, interval, beyond };
                let better = found.all.value * figure.better.unwrap_or(0.0) > 0.0;
                let floor = noise_floor(before, load, figure).max(noise_floor(after, load, figure)).ln();
                match (found.all.is_real(floor), found.is_real(floor), better) {
                    (false, ..) => Finding::NoDifferenceSeen(change),
                    (true, false, _) => Finding::MachineChanged(change),
                    (true, true, true) => Finding::Better(change),
                    (true, true, false) => Finding::Worse(change),
                }
            }
        };
        rows.push(Row { load: load.to_string(), contender: name.to_owned(), figure: figure.name, finding });
    }
    let (before, after) = (&before.header, &after.header);
    Compared {
        before: before.name.clone(),
        after: after.name.clone(),
        circumstances: comparable::circumstances(before, after),
        rows,
    }
}

impl Compared {
    /// Does it leave open whether a figure of the first run became worse?
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        let open = |row: &Row| match &row.finding {
            Finding::NotComparable { obstacle, .. } => *obstacle != Obstacle::OnlyAfter,
            Finding::MachineChanged(_) => true,
            _ => false,
        };
        self.rows.iter().any(open)
    }

    /// The largest change for the worse that the data show, as a ratio above 1; `None` if there is none.
    #[must_use]
    pub fn worst(&self) -> Option<f64> {
        let ratios = self.rows.iter().filter_map(|row| match &row.finding {
            Finding::Worse(change) => Some(change.ratio.max(change.ratio.recip())),
            _ => None,
        });
        ratios.max_by(f64::total_cmp)
    }
}

/// Whose changes tell a contender what the machine changed by, by their places: the ceiling's, since it does least of its own.
/// To the ceiling it is all others, and so it is without one; a contender's second entry does not tell it of the machine.
fn beside(names: &[&str], own: &str) -> impl Iterator<Item = usize> {
    let is_same = |other: &str| original(other) == original(own);
    let ceiling = names.iter().position(|name| *name == CEILING).filter(|_| !is_same(CEILING));
    let others = (0..names.len()).filter(|&place| !is_same(names[place]));
    let all: Vec<usize> = ceiling.map_or_else(|| others.collect(), |ceiling| vec![ceiling]);
    all.into_iter()
}

/// A contender's own name, of its second entry too.
fn original(name: &str) -> &str {
    name.strip_suffix(" (control)").unwrap_or(name)
}

fn tagged(states: &States, run: &Run, name: &str, load: &Load, figure: &Figure) -> Vec<Tagged> {
    run.cell(name, load)
        .filter_map(|trial| match &trial.outcome {
            Outcome::Measured(measured) if measured.is_valid() => {
                let value = (figure.of)(measured).filter(|value| *value > 0.0)?.ln();
                Some(Tagged { state: states.index_of(measured), value })
            }
            _ => None,
        })
        .collect()
}

/// Of both in one state of the machine: the one in which whoever has fewer trials has most.
fn means(pair: &Pair) -> (f64, f64) {
    let of = |trials: &[Tagged], state: usize| -> Vec<f64> {
        trials.iter().filter(|trial| trial.state == state).map(|trial| trial.value).collect()
    };
    let fewer = |state: usize| of(&pair.before, state).len().min(of(&pair.after, state).len());
    let states = pair.before.iter().map(|trial| trial.state);
    let state = states.max_by_key(|&state| (fewer(state), Reverse(state))).unwrap_or(0);
    let mean = |trials: &[Tagged]| {
        let values = of(trials, state);
        (values.iter().sum::<f64>() / values.len() as f64).exp()
    };
    (mean(&pair.before), mean(&pair.after))
}
