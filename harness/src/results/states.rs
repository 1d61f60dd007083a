use std::collections::HashSet;

use super::{Measured, Outcome, Run};
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
    /// Its slowest reading.
    slowest_ns: f64,
}

/// The states that were seen in some runs, the fastest first.
#[derive(Debug, Clone, PartialEq)]
pub struct States(Vec<State>);

impl States {
    /// Tells them apart over all trials of these runs together.
    #[must_use]
    pub fn of(runs: &[&Run]) -> Self {
        Self::among(runs.iter().flat_map(|run| run.measured()).map(reading).collect())
    }

    fn among(mut readings: Vec<f64>) -> Self {
        readings.sort_by(f64::total_cmp);
        let states = readings.chunk_by(|&one, &other| !is_other_state(one, other)).map(|state| State {
            ping_pong_ns: Some(state[state.len() / 2]).filter(|ns| *ns > 0.0),
            trials: state.len(),
            slowest_ns: state[state.len() - 1],
        });
        Self(states.collect())
    }

    /// The state that a trial of these runs was taken in: how many are faster.
    #[must_use]
    pub fn index_of(&self, measured: &Measured) -> usize {
        self.index(reading(measured))
    }

    fn index(&self, reading: f64) -> usize {
        self.0.partition_point(|state| state.slowest_ns < reading)
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

    fn measured(&self) -> impl Iterator<Item = &Measured> {
        self.trials.iter().filter_map(|trial| match &trial.outcome {
            Outcome::Measured(measured) => Some(measured.as_ref()),
            Outcome::Failed(_) => None,
        })
    }
}

fn reading(measured: &Measured) -> f64 {
    let [Probe { ping_pong_ns, .. }, _] = measured.probes;
    ping_pong_ns.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(readings: &[f64]) -> Vec<usize> {
        let states = States::among(readings.to_vec());
        readings.iter().map(|&reading| states.index(reading)).collect()
    }

    #[test]
    fn readings_that_lie_together_are_one_state() {
        assert_eq!(indices(&[66.0, 318.0, 64.0, 71.0, 330.0]), [0, 1, 0, 0, 1]);
        assert_eq!(indices(&[1.0, 1.1, 1.2]), [0, 0, 0]);
        assert_eq!(indices(&[]), [] as [usize; 0]);
    }
}
