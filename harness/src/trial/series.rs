use anyhow::Result;
use jiff::Timestamp;

use super::{Failed, Failure, Measure};
use crate::contender::Contender;
use crate::plan::Slot;
use crate::results::{Journal, Measured, Outcome, Trial};

/// What watches a series of trials go by.
pub trait Watch {
    /// A trial begins.
    fn begin(&mut self, slot: &Slot);
    /// It has ended, and is on disk.
    fn end(&mut self, slot: &Slot, outcome: &Outcome);
}

/// Takes trials in their order and puts each into the journal the moment it ends. `false`: interrupted,
/// and the trial under way was not taken.
///
/// # Errors
/// The journal cannot be written: what was not recorded would be lost, so nothing more is measured.
pub fn take(
    slots: &[Slot],
    contenders: &[Contender],
    bench: &mut impl Measure,
    journal: &mut Journal,
    watch: &mut impl Watch,
) -> Result<bool> {
    for slot in slots {
        let Some(contender) = contenders.iter().find(|contender| contender.name == slot.contender) else {
            continue;
        };
        watch.begin(slot);
        let started_at = Timestamp::now().to_string();
        let label = format!("{}-{}-{}", slot.round, slot.load.workload(), slot.contender);
        let outcome = match bench.measure(contender, &slot.load, &label) {
            Ok(measured) => Outcome::Measured(Box::new(measured)),
            Err(Failed { failure: Failure::Interrupted, .. }) => return Ok(false),
            Err(failed) => Outcome::Failed(failed),
        };
        let trial = Trial { slot: slot.clone(), started_at, outcome };
        journal.append(&trial)?;
        watch.end(slot, &trial.outcome);
    }
    Ok(true)
}

impl Outcome {
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
