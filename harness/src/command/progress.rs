//! What a person sees while a run lasts.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::err;
use crate::plan::Slot;
use crate::results::Outcome;
use crate::trial::Watch;

/// A bar on a terminal, plain lines elsewhere; both say what is measured and when it will end.
#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    rounds: u32,
    trials: usize,
    taken: usize,
    /// What a trial should take, until one has shown it.
    expected: Duration,
    began: Instant,
}

impl Progress {
    /// For this many trials, each expected to take `expected`.
    #[must_use]
    pub(super) fn new(trials: usize, rounds: u32, expected: Duration) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(trials as u64);
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self { bar, rounds, trials, taken: 0, expected, began: Instant::now() }
    }

    fn left(&self) -> Duration {
        let each = match u32::try_from(self.taken) {
            Ok(taken) if taken > 0 => self.began.elapsed() / taken,
            _ => self.expected,
        };
        each * u32::try_from(self.trials.saturating_sub(self.taken)).unwrap_or(u32::MAX)
    }
}

impl Watch for Progress {
    fn begin(&mut self, slot: &Slot) {
        let Slot { round, contender, load } = slot;
        let left = self.left().as_secs();
        let text = format!(
            "{contender}: {load}; round {round} of {}, {}:{:02} left",
            self.rounds,
            left / 60,
            left % 60
        );
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None => err!("[{}/{}] {text}", self.taken + 1, self.trials),
        }
    }

    fn end(&mut self, slot: &Slot, outcome: &Outcome, again: bool) {
        if !again {
            self.taken += 1;
            if let Some(bar) = &self.bar {
                bar.inc(1);
            }
        }
        if let Some(complaint) = outcome.complaint() {
            let line = format!("{}, {}, round {}: {complaint}", slot.contender, slot.load, slot.round);
            match &self.bar {
                Some(bar) => bar.println(line),
                None => err!("{line}"),
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
