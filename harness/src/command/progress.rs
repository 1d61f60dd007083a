//! What a person sees while a run lasts.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::eta::Eta;
use super::output::err;
use crate::plan::{Profile, Slot};
use crate::results::Outcome;
use crate::trial::Watch;

/// A bar on a terminal, plain lines elsewhere; both say what is measured and when it will end.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    bar: Option<ProgressBar>,
    profile: &'a Profile,
    /// Trials of the profile's rounds, and of those behind them that have begun.
    trials: usize,
    taken: usize,
    eta: Eta,
    began: Instant,
}

impl<'a> Progress<'a> {
    /// For these trials, and what is expected later.
    #[must_use]
    pub(super) fn new(slots: &[Slot], profile: &'a Profile) -> Self {
        let trials = slots.len();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(trials as u64);
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        let eta = Eta::of(slots, profile);
        Self { bar, profile, trials, taken: 0, eta, began: Instant::now() }
    }

    /// A round begins. How many there will be behind the profile's nobody knows.
    pub(super) fn expect(&mut self, round: &[Slot]) {
        if round.iter().all(|slot| slot.round > self.profile.rounds.get()) {
            self.trials += round.len();
            self.eta.expect(round, self.profile);
            if let Some(bar) = &self.bar {
                bar.inc_length(round.len() as u64);
            }
        }
    }
}

impl Watch for Progress<'_> {
    fn begin(&mut self, slot: &Slot) {
        let Slot { round, contender, load } = slot;
        let left = self.eta.left(self.began.elapsed()).as_secs();
        let rounds = self.profile.rounds.get();
        let of = match self.profile.until {
            Some(until) if *round > rounds => format!("until ±{} %, this one", until.percent),
            _ => format!("of {rounds},"),
        };
        let text = format!("{contender}: {load}; round {round} {of} {}:{:02} left", left / 60, left % 60);
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None => err!("[{}/{}] {text}", self.taken + 1, self.trials),
        }
    }

    fn end(&mut self, slot: &Slot, outcome: &Outcome, again: bool) {
        if !again {
            self.taken += 1;
            self.eta.taken(&slot.load, self.profile);
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

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
