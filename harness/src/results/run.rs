use contract::About;
use loadgen::Measurement;
use serde::{Deserialize, Serialize};

use crate::contender::Contender;
use crate::machine::{Environment, Spent};
use crate::plan::{Load, Profile, Slot};
use crate::trial::{Doubt, Failed};

/// Version of the results file's form. A file of another version is refused.
pub const SCHEMA: u32 = 1;

/// One run: all of a results file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// What was known before the first trial.
    #[serde(flatten)]
    pub header: Header,
    /// When the last trial ended (RFC 3339, UTC).
    pub finished_at: String,
    /// Every trial, in the order in which they were taken.
    pub trials: Vec<Trial>,
}

/// What is known before the first trial.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Name of the run, and of its files.
    pub name: String,
    /// When it began (RFC 3339, UTC).
    pub started_at: String,
    /// Seed of the order of trials.
    pub seed: u64,
    /// Have the contenders just proved the contract?
    pub verified: bool,
    /// What was to be measured, as it was after the command line's changes.
    pub profile: Profile,
    /// The machine.
    pub environment: Environment,
    /// Cores of the server.
    pub server_cores: String,
    /// Cores of the load generator.
    pub tool_cores: String,
    /// What a person should know, such as loads that were left out.
    pub notes: Vec<String>,
    /// The contenders.
    pub contenders: Vec<Entry>,
}

/// A contender in a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its manifest.
    pub manifest: Contender,
    /// What it says of itself; none if it never answered.
    pub about: Option<About>,
    /// Why it is not measured at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
}

/// One trial: one line of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trial {
    /// Which.
    #[serde(flatten)]
    pub slot: Slot,
    /// When it began (RFC 3339, UTC).
    pub started_at: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a trial.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Figures, with what speaks against them.
    Measured(Box<Measured>),
    /// None.
    Failed(Failed),
}

/// The figures of one trial.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// What the load generator measured.
    pub measurement: Measurement,
    /// What the server's process used between two readings, at the begin and the end of the measured time.
    pub server: Spent,
    /// What speaks against the figures; empty if they are valid.
    pub doubts: Vec<Doubt>,
}

impl Measured {
    /// May the figures go into a median?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.doubts.iter().any(Doubt::invalidates)
    }

    /// Messages (echo) or deliveries (broadcast) a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.measurement.messages as f64 / self.measurement.seconds
    }
}

impl Run {
    /// The trials of one cell.
    pub fn cell<'a>(&'a self, contender: &'a str, load: &'a Load) -> impl Iterator<Item = &'a Trial> {
        self.trials.iter().filter(move |trial| trial.slot.contender == contender && trial.slot.load == *load)
    }

    /// Was every trial taken that was planned?
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let able = |load: &Load| {
            let serves = |entry: &&Entry| entry.failed.is_none() && entry.manifest.serves(load.workload());
            self.header.contenders.iter().filter(serves).count()
        };
        let planned: usize = self.header.profile.loads.iter().map(able).sum();
        self.trials.len() == planned * self.header.profile.rounds.get() as usize
    }

    /// Did anything fail or have to be left out of the medians?
    #[must_use]
    pub fn has_failures(&self) -> bool {
        let failed = |trial: &Trial| match &trial.outcome {
            Outcome::Measured(measured) => !measured.is_valid(),
            Outcome::Failed(_) => true,
        };
        self.header.contenders.iter().any(|entry| entry.failed.is_some()) || self.trials.iter().any(failed)
    }
}
