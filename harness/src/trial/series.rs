use std::time::Instant;

use anyhow::Result;
use jiff::Timestamp;

use super::Doubt;
use super::{Failed, Failure, Measure};
use crate::names::slug;
use crate::plan::Slot;
use crate::results::{Entry, Journal, Measured, Outcome, Trial};

/// What watches a series of trials go by.
pub trait Watch {
    /// A trial begins.
    fn begin(&mut self, slot: &Slot);
    /// It has ended, and is on disk.
    /// If it is taken `again`, nothing new begins.
    fn end(&mut self, slot: &Slot, outcome: &Outcome, again: bool);
}

/// Takes trials in their order and puts each into the journal the moment it ends. One during which the machine's
/// state changed is taken again at once, at most `repeats` times. `false`: interrupted, and the trial under way was not taken.
///
/// # Errors
/// The journal cannot be written: what was not recorded would be lost, so nothing more is measured.
pub fn take(
    slots: &[Slot],
    entries: &[Entry],
    repeats: u32,
    bench: &mut impl Measure,
    journal: &mut Journal,
    watch: &mut impl Watch,
) -> Result<bool> {
    for (index, slot) in slots.iter().enumerate() {
        let Some(entry) = entries.iter().find(|entry| entry.name == slot.contender) else { continue };
        watch.begin(slot);
        for attempt in 0..=repeats {
            let started_at = Timestamp::now().to_string();
            let label = label(slot, index + 1, attempt);
            let began = Instant::now();
            let outcome = match bench.measure(&entry.manifest, slot, &label) {
                Ok(measured) => Outcome::Measured(Box::new(measured)),
                Err(Failed { failure: Failure::Interrupted, .. }) => return Ok(false),
                Err(failed) => Outcome::Failed(failed),
            };
            let again = outcome.is_worth_repeating() && attempt < repeats;
            let took_s = Some(began.elapsed().as_secs_f64());
            let trial = Trial { slot: slot.clone(), started_at, took_s, outcome };
            journal.append(&trial)?;
            watch.end(slot, &trial.outcome, again);
            if !again {
                break;
            }
        }
    }
    Ok(true)
}

/// Names a trial in file names: its round, its place among those that are taken now, what it is, and the attempt.
fn label(Slot { round, contender, load }: &Slot, place: usize, attempt: u32) -> String {
    format!("{round:03}-{place:03}-{}-{attempt}", slug(&format!("{contender} {load}")))
}

impl Outcome {
    /// Did the machine's state change, and nothing else go wrong?
    #[must_use]
    pub fn is_worth_repeating(&self) -> bool {
        let Self::Measured(measured) = self else { return false };
        let changed = |doubt: &Doubt| matches!(doubt, Doubt::Noisy(_)) && doubt.invalidates();
        measured.doubts.iter().any(changed) && !measured.doubts.iter().any(Doubt::is_failure)
    }

    /// What is worth a line on the terminal: nothing, if all is well.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        match self {
            Self::Failed(failed) => Some(failed.failure.to_string()),
            Self::Measured(measured) => {
                let Measured { doubts, .. } = measured.as_ref();
                let said: Vec<String> =
                    doubts.iter().filter(|d| d.invalidates()).map(ToString::to_string).collect();
                (!said.is_empty()).then(|| said.join("; "))
            }
        }
    }
}
