use std::collections::HashSet;
use std::ops::Range;

use super::{Measured, Outcome, Run, Trial};
use crate::machine::Probe;
use crate::plan::Slot;
use crate::stats::is_other_state;

/// A state of the machine that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Median of the time that a cache line takes between the pinned cores and back, in ns.
    pub ping_pong_ns: Option<f64>,
    /// How many trials were taken in it.
    pub trials: usize,
    /// How many of them count.
    valid: usize,
    /// Its fastest reading.
    fastest_ns: f64,
}

/// A trial with its figures.
pub type Figured<'a> = (&'a Trial, &'a Measured);

/// The states that were seen in some trials, the fastest first.
#[derive(Debug, Clone, PartialEq)]
pub struct States(Vec<State>);

impl States {
    /// Tells them apart over all these trials together.
    #[must_use]
    pub fn of<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Self {
        let measured = trials.into_iter().filter_map(|trial| match &trial.outcome {
            Outcome::Measured(measured) => Some((reading(measured), measured.is_valid())),
            Outcome::Failed(_) => None,
        });
        Self::among(measured.collect())
    }

    /// Of readings, each with whether its trial counts: where most lie together, those near their middle make a state, and so
    /// on with the rest. A gap between neighbours would not do, since a few readings on the way from one state to another bridge it.
    fn among(mut readings: Vec<(f64, bool)>) -> Self {
        readings.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let mut states = Vec::new();
        while !readings.is_empty() {
            let together = |ns: f64| {
                let first = readings.partition_point(|&(other, _)| other < ns && is_other_state(other, ns));
                first..readings.partition_point(|&(other, _)| other < ns || !is_other_state(other, ns))
            };
            let ranges = readings.iter().map(|&(ns, _)| together(ns));
            let Some(Range { start, end }) = ranges.rev().max_by_key(ExactSizeIterator::len) else { break };
            // Around its middle, so that it does not lean to either side for a few that are far from it.
            let range = together(readings[start.midpoint(end)].0);
            let state: Vec<(f64, bool)> = readings.drain(range).collect();
            let middle_ns = state[state.len() / 2].0;
            states.push(State {
                ping_pong_ns: Some(middle_ns).filter(|ns| *ns > 0.0),
                trials: state.len(),
                valid: state.iter().filter(|(_, is_valid)| *is_valid).count(),
                fastest_ns: state[0].0,
            });
        }
        states.sort_by(|one, other| one.fastest_ns.total_cmp(&other.fastest_ns));
        Self(states)
    }

    /// The state that one of these trials was taken in: how many are faster.
    #[must_use]
    pub fn index_of(&self, measured: &Measured) -> usize {
        self.index(reading(measured))
    }

    fn index(&self, reading: f64) -> usize {
        self.0.partition_point(|state| state.fastest_ns <= reading).saturating_sub(1)
    }

    /// The state with most trials that count; of several the fastest.
    fn most_seen(&self) -> usize {
        self.most(|state| self.0[state].valid)
    }

    /// Was a trial taken in another state than the one that most trials that count were taken in?
    #[must_use]
    pub fn is_elsewhere(&self, measured: &Measured) -> bool {
        self.index_of(measured) != self.most_seen()
    }

    /// Those of a cell's trials that are of one state: the one that was seen most or, if the cell has none of it, the one that it has most
    /// of. What two states differ by is no error of a figure, and no figure is a mixture of two.
    #[must_use]
    pub fn of_one<'a>(&self, cell: Vec<Figured<'a>>) -> Vec<Figured<'a>> {
        let is_of = |state: usize, measured: &Measured| self.index_of(measured) == state;
        let count = |state: usize| cell.iter().filter(|(_, measured)| is_of(state, measured)).count();
        let most_seen = self.most_seen();
        let state = if count(most_seen) > 0 { most_seen } else { self.most(count) };
        cell.into_iter().filter(|(_, measured)| is_of(state, measured)).collect()
    }

    fn most(&self, trials: impl Fn(usize) -> usize) -> usize {
        (0..self.0.len()).rev().max_by_key(|&state| trials(state)).unwrap_or(0)
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &State> {
        self.0.iter()
    }
}

impl Run {
    /// How many trials were taken again because the state changed.
    #[must_use]
    pub fn repeated(&self) -> usize {
        let slots: HashSet<&Slot> = self.trials.iter().map(|trial| &trial.slot).collect();
        self.trials.len() - slots.len()
    }
}

fn reading(measured: &Measured) -> f64 {
    let [Probe { ping_pong_ns, .. }, _] = measured.probes;
    ping_pong_ns.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::read;
    use super::*;

    fn indices(readings: &[f64]) -> Vec<usize> {
        let states = States::among(readings.iter().map(|&reading| (reading, true)).collect());
        readings.iter().map(|&reading| states.index(reading)).collect()
    }

    #[test]
    fn readings_that_lie_together_are_one_state() {
        assert_eq!(indices(&[66.0, 318.0, 64.0, 71.0, 330.0]), [0, 1, 0, 0, 1]);
        assert_eq!(indices(&[1.0, 1.1, 1.2]), [0, 0, 0]);
        assert_eq!(indices(&[]), [] as [usize; 0]);
        // One on the way from 30 to 65, less than half as much again as the one before, and the one after than it.
        assert_eq!(indices(&[30.0, 31.0, 43.0, 64.0, 64.0, 65.0, 66.0, 80.0]), [0, 0, 0, 1, 1, 1, 1, 1]);
    }

    /// A trial for each reading of the ping-pong, in ns.
    fn trials(readings: &[f64]) -> Vec<Trial> {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-1.json");
        let run = read(&fixture).expect("results");
        let original = run.trials.iter().find(|trial| matches!(trial.outcome, Outcome::Measured(_)));
        let original = original.expect("a trial with figures");
        let taken = |&reading: &f64| {
            let mut trial = original.clone();
            let Outcome::Measured(measured) = &mut trial.outcome else { panic!("it was measured") };
            measured.probes[0].ping_pong_ns = Some(reading);
            trial
        };
        readings.iter().map(taken).collect()
    }

    fn figured(trials: &[Trial]) -> Vec<Figured<'_>> {
        let measured = trials.iter().filter_map(|trial| match &trial.outcome {
            Outcome::Measured(measured) => Some((trial, measured.as_ref())),
            Outcome::Failed(_) => None,
        });
        measured.collect()
    }

    #[test]
    fn figures_are_of_the_state_that_was_seen_most_or_of_one_other() {
        let all = trials(&[64.0, 320.0, 66.0, 318.0, 65.0, 900.0, 910.0, 330.0]);
        let states = States::of(&all);
        assert_eq!(states.most_seen(), 0, "of two with three trials each the faster one");
        let shown = |range: std::ops::Range<usize>| -> Vec<f64> {
            let shown = states.of_one(figured(&all[range]));
            shown.into_iter().map(|(_, measured)| reading(measured)).collect()
        };
        assert_eq!(shown(0..4), [64.0, 66.0]);
        assert_eq!(
            shown(3..5),
            [65.0],
            "one of the state that was seen most counts more than any of another"
        );
        assert_eq!(shown(5..8), [900.0, 910.0], "a cell without any is of the state that it has most of");
        assert_eq!(shown(5..5), [] as [f64; 0]);
    }
}
