use contract::About;
use loadgen::Measurement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contender::Contender;
use crate::machine::{CoreShares, CoreUse, Environment, MemoryCourse, Probe, Spent};
use crate::plan::{Load, Profile, Slot, ToolName, schedule};
use crate::rounds::next_round;
use crate::tool::{Found, ToolReport};
use crate::trial::{Calibration, Doubt, Failed, Search};

/// Version of the results file's form. Older ones are read: 1 had no digest, 2 other names of verdicts. A later one is refused.
pub const SCHEMA: u32 = 3;

/// One run: all of a results file.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
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
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
pub struct Header {
    /// Version of the file's form: [`SCHEMA`] when it was written.
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
    /// Digest of the load generator's sources; `None` in older results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_sources: Option<String>,
    /// What a person should know, such as loads that were left out.
    pub notes: Vec<String>,
    /// Load generators of others that the profile names, there or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Found>,
    /// The contenders.
    pub contenders: Vec<Entry>,
}

/// A contender in a run. One may be entered twice, the second time as the control.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
pub struct Entry {
    /// Its name in this run.
    pub name: String,
    /// Its manifest.
    pub manifest: Contender,
    /// What it says of itself; none if it never answered.
    pub about: Option<About>,
    /// Why it is not measured at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
}

/// One trial: one line of the journal.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
pub struct Trial {
    /// Which.
    #[serde(flatten)]
    pub slot: Slot,
    /// When it began (RFC 3339, UTC).
    pub started_at: String,
    /// How long it took, from booting the server to its end, in seconds; `None` in older results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_s: Option<f64>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a trial.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Figures, with what speaks against them.
    Measured(Box<Measured>),
    /// None.
    Failed(Failed),
}

/// The figures of one trial.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
pub struct Measured {
    /// What the load generator measured.
    pub measurement: Measurement,
    /// What the server's process used between two readings, at the begin and the end of the measured time.
    pub server: Spent,
    /// What the tool's processes used, read likewise; none in results that are older than this figure.
    #[serde(default)]
    pub tool: Option<Spent>,
    /// The server's memory before, with idle connections and with busy ones; none in results that are older.
    #[serde(default)]
    pub memory: Option<MemoryCourse>,
    /// The pinned cores' speed just before and just after the trial.
    pub probes: [Probe; 2],
    /// What the server's and the tool's cores did in the measured time; none if the kernel does not say.
    pub cores: Option<[CoreUse; 2]>,
    /// What speaks against the figures; empty if they are valid.
    pub doubts: Vec<Doubt>,
    /// The capacity that the trial found first, where the load's rate is a share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// The way of a search for a limit. `measurement` is then that of the highest level that was kept, or where
    /// none was, of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// What another's load generator says, where one drove; `measurement` is then made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ToolReport>,
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

    /// What the pinned cores did besides the server and the tool; `None` in older results.
    #[must_use]
    pub fn core_shares(&self) -> Option<CoreShares> {
        let cores = self.cores.as_ref()?;
        let time_s = self.server.seconds * cores.iter().map(|cores| cores.cores).sum::<usize>() as f64;
        let tool = self.tool.as_ref()?;
        (time_s > 0.0).then(|| CoreShares::of(cores, time_s, self.server.cpu_us + tool.cpu_us))
    }
}

impl Run {
    /// The trials of one cell.
    pub fn cell<'a>(&'a self, contender: &'a str, load: &'a Load) -> impl Iterator<Item = &'a Trial> {
        self.trials.iter().filter(move |trial| trial.slot.contender == contender && trial.slot.load == *load)
    }

    /// Is there a contender of this name in it?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.header.contenders.iter().any(|entry| entry.name == name)
    }

    /// Which of the contenders has this name; the first if none has.
    #[must_use]
    pub fn entry_index(&self, name: &str) -> usize {
        self.header.contenders.iter().position(|entry| entry.name == name).unwrap_or(0)
    }

    /// Was every trial taken that was planned, and every round that the figures asked for?
    #[must_use]
    pub fn is_complete(&self) -> bool {
        next_round(&self.header, &self.trials, 0).is_empty()
    }

    /// Did anything fail? A trial that the machine disturbed is no failure, and neither is one repeated.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        let failed = |trial: &Trial| match &trial.outcome {
            Outcome::Measured(measured) => measured.doubts.iter().any(Doubt::is_failure),
            Outcome::Failed(_) => true,
        };
        self.header.contenders.iter().any(|entry| entry.failed.is_some()) || self.trials.iter().any(failed)
    }
}

impl Header {
    /// All trials of the profile's rounds, in their order.
    #[must_use]
    pub fn slots(&self) -> Vec<Slot> {
        let rounds = 1..=self.profile.rounds.get();
        rounds.flat_map(|round| self.slots_of(round, &self.profile.questions())).collect()
    }

    /// A round of these loads: its trials, in their order.
    #[must_use]
    pub fn slots_of(&self, round: u32, loads: &[Load]) -> Vec<Slot> {
        let names: Vec<String> = self.contenders.iter().map(|entry| entry.name.clone()).collect();
        let mut slots = schedule(&names, loads, round, self.seed);
        slots.retain(|slot| {
            let takes = |entry: &&Entry| entry.name == slot.contender && entry.takes(&slot.load);
            self.asked(&slot.load).iter().any(takes)
        });
        slots
    }

    /// The contenders that are asked a load: those of its profile that serve it; none if its tool is not there.
    #[must_use]
    pub fn asked(&self, load: &Load) -> Vec<&Entry> {
        let only = self.profile.loads.iter().find(|asked| asked.load == *load);
        let is_asked = |name: &String| {
            only.is_none_or(|asked| asked.contenders.is_empty() || asked.contenders.contains(name))
        };
        let takes = |entry: &&Entry| self.has(load.tool()) && entry.manifest.takes(load);
        self.contenders.iter().filter(takes).filter(|entry| is_asked(&entry.manifest.name)).collect()
    }

    /// Is this load generator there?
    #[must_use]
    pub fn has(&self, tool: ToolName) -> bool {
        tool == ToolName::Loadgen
            || self.tools.iter().any(|found| found.tool == tool && found.version.is_some())
    }

    /// The contender that is entered twice, and its second entry: what they differ by is noise.
    #[must_use]
    pub fn control(&self) -> Option<(&Entry, &Entry)> {
        let control = self.contenders.iter().find(|entry| entry.name != entry.manifest.name)?;
        let original = self.contenders.iter().find(|entry| entry.name == control.manifest.name)?;
        Some((original, control))
    }
}

impl Entry {
    /// Is it measured under this load?
    #[must_use]
    pub fn takes(&self, load: &Load) -> bool {
        self.failed.is_none() && self.manifest.takes(load)
    }

    /// Is it a contender's second entry?
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.name != self.manifest.name
    }
}
