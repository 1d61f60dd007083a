//! Two results: what changed, and what is noise.

mod comparable;
mod page;

use schemars::JsonSchema;
use serde::Serialize;

pub use comparable::Obstacle;
pub use page::markdown;

use crate::plan::Load;
use crate::report::{Figure, figures, noise_floor};
use crate::results::{Outcome, Run, States};
use crate::stats::{Pair, Tagged, changes};

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
    /// Geometric mean of the first run's trials.
    pub before: f64,
    /// Of the second's.
    pub after: f64,
    /// After ÷ before, within the states of the machine that both have seen.
    pub ratio: f64,
    /// The ratio's 95 % interval, for all rows at once.
    pub interval: (f64, f64),
}

/// Compares two runs.
#[must_use]
pub fn compare(before: &Run, after: &Run) -> Compared {
    let mut rows = Vec::new();
    let mut loads: Vec<&Load> = before.header.profile.loads.iter().collect();
    loads
        .extend(after.header.profile.loads.iter().filter(|load| !before.header.profile.loads.contains(load)));
    let obstacle = comparable::obstacle(&before.header, &after.header);
    let mut names: Vec<&str> = before.header.contenders.iter().map(|entry| entry.name.as_str()).collect();
    names.extend(
        after.header.contenders.iter().map(|entry| entry.name.as_str()).filter(|name| !before.has(name)),
    );
    // States are told apart over both runs: a state that one has not seen is then not taken for another.
    let states = States::of(&[before, after]);
    let mut pairs = Vec::new();
    let mut family = 0;
    for load in loads {
        for figure in figures(load).into_iter().filter(|figure| figure.better.is_some()) {
            family += 1;
            for name in &names {
                let pair = Pair {
                    family,
                    before: tagged(&states, before, name, load, figure),
                    after: tagged(&states, after, name, load, figure),
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
            (None, Some(difference)) => {
                let change = Change {
                    before: mean(&pair.before),
                    after: mean(&pair.after),
                    ratio: difference.value.exp(),
                    interval: (
                        (difference.value - difference.half_width).exp(),
                        (difference.value + difference.half_width).exp(),
                    ),
                };
                let better = difference.value * figure.better.unwrap_or(0.0) > 0.0;
                let floor = noise_floor(before, load, figure).max(noise_floor(after, load, figure));
                match (difference.is_real(floor.ln()), better) {
                    (false, _) => Finding::NoDifferenceSeen(change),
                    (true, true) => Finding::Better(change),
                    (true, false) => Finding::Worse(change),
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

fn mean(trials: &[Tagged]) -> f64 {
    (trials.iter().map(|trial| trial.value).sum::<f64>() / trials.len() as f64).exp()
}
