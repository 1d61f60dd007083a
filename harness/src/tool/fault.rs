use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why another's load generator gave no measurement.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize, Error)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// It is not there.
    #[error("is not installed: {how}")]
    Missing {
        /// How to get it.
        how: String,
    },
    /// What it writes is not known to be what is read here.
    #[error("is of version {found}, and its output is known of {known} only: {how}")]
    OtherVersion {
        /// What it says.
        found: String,
        /// What was expected.
        known: String,
        /// How to get that.
        how: String,
    },
    /// It cannot be executed, or what it needs not be written.
    #[error("does not start: {reason}")]
    NotStarted {
        /// The error.
        reason: String,
    },
    /// It had to be killed.
    #[error("did not end within {within_s:.0} s and was killed")]
    Hung {
        /// The deadline, in seconds.
        within_s: f64,
    },
    /// It ended in failure.
    #[error("crashed: {status}")]
    Crashed {
        /// Exit status.
        status: String,
    },
    /// It ended well and wrote nothing.
    #[error("wrote nothing")]
    Silent,
    /// What it wrote is not its report, or not all of it.
    #[error("wrote what cannot be read: {reason}")]
    Garbage {
        /// What was expected, and where.
        reason: String,
    },
    /// Not one request was answered.
    #[error("reports not one answer{}", listed(errors))]
    NoRequests {
        /// What went wrong, by cause.
        errors: BTreeMap<String, u64>,
    },
}

impl Fault {
    pub(super) fn garbage(reason: impl Into<String>) -> Self {
        Self::Garbage { reason: reason.into() }
    }
}

fn listed(errors: &BTreeMap<String, u64>) -> String {
    let causes: Vec<String> = errors.iter().map(|(cause, count)| format!("{cause} ({count})")).collect();
    if causes.is_empty() { String::new() } else { format!(": {}", causes.join(", ")) }
}
