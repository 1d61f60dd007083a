use super::{Measured, Outcome, Run};
use crate::machine::Probe;
use crate::stats::{is_other_state, states};

/// A state of the machine that was seen in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Median of the time that a cache line takes between the pinned cores and back, in ns.
    pub ping_pong_ns: Option<f64>,
    /// How many trials were taken in it.
    pub trials: usize,
}

impl Run {
    /// The state of the machine that a trial was taken in: how many states that were seen in this run are faster.
    #[must_use]
    pub fn state_of(&self, measured: &Measured) -> usize {
        let own = reading(&measured.probes[0]);
        let mut readings = self.readings();
        readings.push(own);
        states(&readings).last().copied().unwrap_or(0)
    }

    /// The states that were seen, the fastest first.
    #[must_use]
    pub fn states(&self) -> Vec<State> {
        let mut readings = self.readings();
        readings.sort_by(f64::total_cmp);
        let same = |a: &f64, b: &f64| !is_other_state(*a, *b);
        readings
            .chunk_by(same)
            .map(|state| State {
                ping_pong_ns: Some(state[state.len() / 2]).filter(|ns| *ns > 0.0),
                trials: state.len(),
            })
            .collect()
    }

    /// The trials of both: to tell states apart over two runs.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let trials = self.trials.iter().chain(&other.trials).cloned().collect();
        Self { trials, ..self.clone() }
    }

    /// How many trials were taken again because the state changed.
    #[must_use]
    pub fn repeated(&self) -> usize {
        self.trials.len().saturating_sub(self.header.slots().len())
    }

    /// One a trial.
    fn readings(&self) -> Vec<f64> {
        let measured = self.trials.iter().filter_map(|trial| match &trial.outcome {
            Outcome::Measured(measured) => Some(measured),
            Outcome::Failed(_) => None,
        });
        measured.map(|measured| reading(&measured.probes[0])).collect()
    }
}

fn reading(probe: &Probe) -> f64 {
    probe.ping_pong_ns.unwrap_or(0.0)
}
