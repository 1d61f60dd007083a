//! What a person sees while a run lasts.

use std::fmt::Write;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::style;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::eta::Eta;
use super::lines::RunLine;
use super::output::{err, out};
use crate::plan::{Profile, Slot};
use crate::report::{number, ranked};
use crate::results::Outcome;
use crate::trial::Watch;

/// So many of a trial's figures are told as it ends: what the server did, how fast, and at what cost.
const FIGURES: usize = 4;

/// A line a trial with its figures; before it, on a terminal a bar, elsewhere a plain line: what is measured, and when all will have been.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    bar: Option<ProgressBar>,
    /// When the trials should have ended, for the bar.
    end: Arc<Mutex<Instant>>,
    profile: &'a Profile,
    /// Are trials printed as JSON as well?
    json: bool,
    /// Trials of the profile's rounds, and of those behind them that have begun.
    trials: usize,
    taken: usize,
    eta: Eta,
    began: Instant,
}

impl<'a> Progress<'a> {
    /// For these trials, and what is expected later.
    #[must_use]
    pub(super) fn new(slots: &[Slot], profile: &'a Profile, json: bool) -> Self {
        let trials = slots.len();
        let end = Arc::new(Mutex::new(Instant::now()));
        let bar = std::io::stderr().is_terminal().then(|| bar(trials, Arc::clone(&end)));
        let eta = Eta::of(slots, profile);
        Self { bar, end, profile, json, trials, taken: 0, eta, began: Instant::now() }
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

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => err!("{line}"),
        }
    }
}

/// It counts the time left down.
fn bar(trials: usize, end: Arc<Mutex<Instant>>) -> ProgressBar {
    let bar = ProgressBar::new(trials as u64);
    let left = move |_: &ProgressState, to: &mut dyn Write| {
        let end = *end.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = to.write_str(&minutes(end.saturating_duration_since(Instant::now())));
    };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {left} left  {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("left", left));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

fn minutes(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// A trial in a line: its first figures, and why it does not count.
fn told(slot: &Slot, outcome: &Outcome) -> String {
    let complaint = outcome.complaint();
    let word = match (&complaint, outcome) {
        (None, _) => style("ok").green(),
        (Some(_), Outcome::Measured(_)) => style("invalid").yellow(),
        (Some(_), Outcome::Failed(_)) => style("FAILED").red().bold(),
    };
    let figures = ranked(&slot.load, outcome).into_iter().take(FIGURES);
    let figures = figures.map(|(name, value)| format!("{name} {}", number(value)));
    let text: Vec<String> = figures.chain(complaint).collect();
    let Slot { round, contender, load } = slot;
    format!("  {} {contender}, {load}, round {round}: {}", word.for_stderr(), text.join("; "))
}

impl Watch for Progress<'_> {
    fn begin(&mut self, slot: &Slot) {
        let Slot { round, contender, load } = slot;
        let left = self.eta.left(self.began.elapsed());
        let now = Instant::now();
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = now.checked_add(left).unwrap_or(now);
        let rounds = self.profile.rounds.get();
        let of = match self.profile.until {
            Some(until) if *round > rounds => format!("until ±{} %, this one", until.percent),
            _ => format!("of {rounds},"),
        };
        let text = format!("{contender}: {load}; round {round} {of}");
        match &self.bar {
            Some(bar) => bar.set_message(text.trim_end_matches(',').to_owned()),
            None => err!("[{}/{}] {text} {} left", self.taken + 1, self.trials, minutes(left)),
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
        self.say(&told(slot, outcome));
        if self.json {
            match serde_json::to_string(&RunLine::of(slot, outcome, again)) {
                Ok(line) => out!("{line}"),
                Err(error) => self.say(&format!("this trial cannot be written as JSON: {error}")),
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
