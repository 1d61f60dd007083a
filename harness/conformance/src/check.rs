use std::net::SocketAddr;
use std::time::Duration;

use contract::Limits;
use thiserror::Error;

/// The server under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// The limits it was started with.
    pub limits: Limits,
    /// How long any one answer may take. It detects hangs and judges no speed.
    pub patience: Duration,
}

impl Target {
    /// A server at `address`, with five seconds of patience.
    #[must_use]
    pub fn new(address: SocketAddr, limits: Limits) -> Self {
        Self { address, limits, patience: Duration::from_secs(5) }
    }
}

/// One demand of the contract. Each opens its own connections and needs nothing that another left behind.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// What is demanded, as a sentence in kebab-case.
    pub name: &'static str,
    /// Who demands it: "contract, limits", "RFC 6455, 5.5.2".
    pub standard: &'static str,
    pub(crate) run: fn(&Target) -> Result<(), Failure>,
}

/// What became of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server does what is demanded.
    Passed,
    /// It does not.
    Failed(Failure),
}

/// How a server failed. Long bytes are abbreviated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected {expected}; observed {observed}")]
pub struct Failure {
    /// What was awaited, and after what.
    pub expected: String,
    /// What came instead.
    pub observed: String,
}

impl Failure {
    pub(crate) fn new(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self { expected: expected.into(), observed: observed.into() }
    }

    /// The same failure, with the circumstance: "after an unmasked frame", "for subscriber 7".
    #[must_use]
    pub(crate) fn when(mut self, circumstance: impl AsRef<str>) -> Self {
        self.expected = format!("{} {}", self.expected, circumstance.as_ref());
        self
    }
}

/// A failure unless `holds`.
pub(crate) fn ensure(
    holds: bool,
    expected: impl Into<String>,
    observed: impl Into<String>,
) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(expected, observed)) }
}

/// The outcome of every check that ran, in the order in which they ran.
#[derive(Debug, Clone)]
pub struct Report {
    /// Each check with its outcome.
    pub results: Vec<(&'static Check, Outcome)>,
}

impl Report {
    /// Did all pass? False if none ran: then nothing is proved.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.results.is_empty() && self.failures().next().is_none()
    }

    /// The checks that failed, each with how.
    pub fn failures(&self) -> impl Iterator<Item = (&'static Check, &Failure)> {
        self.results.iter().filter_map(|(check, outcome)| match outcome {
            Outcome::Passed => None,
            Outcome::Failed(failure) => Some((*check, failure)),
        })
    }
}
