//! What `--json` prints line by line.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::Slot;
use crate::report::ranked;
use crate::results::Outcome;

/// A line of `harness run --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum RunLine {
    /// A trial has been taken, and is in the journal.
    Trial {
        /// Which.
        #[serde(flatten)]
        slot: Slot,
        /// Does it count?
        is_valid: bool,
        /// Why it does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        complaint: Option<String>,
        /// Is it taken again, because the machine's state changed?
        is_taken_again: bool,
        /// The figures by which something can be won, by their names in the tables, with their units.
        figures: BTreeMap<String, f64>,
    },
    /// The last line: the trials are results.
    Results {
        /// Their file.
        file: String,
        /// Have all trials been taken?
        is_complete: bool,
        /// Did a contender or a trial fail?
        has_failures: bool,
    },
}

impl RunLine {
    /// Of a trial.
    pub(super) fn of(slot: &Slot, outcome: &Outcome, again: bool) -> Self {
        let complaint = outcome.complaint();
        let figures = ranked(&slot.load, outcome);
        Self::Trial {
            slot: slot.clone(),
            is_valid: complaint.is_none(),
            complaint,
            is_taken_again: again,
            figures: figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }
}

/// A line of `harness verify --json`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checked {
    /// The contender.
    pub contender: String,
    /// The check; none of a contender that could not be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What demands it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard: Option<String>,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, but of one that passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The contender does what is demanded.
    Ok,
    /// It does not, and its manifest says so.
    Deviates,
    /// It does not serve what is checked.
    Skipped,
    /// It does not do what is demanded.
    Failed,
}
