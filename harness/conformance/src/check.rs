use std::net::SocketAddr;
use std::time::Duration;

use contract::{Limits, Timing};
use thiserror::Error;

/// The server under test.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// The limits it was started with.
    pub limits: Limits,
    /// How long it was told to wait for things.
    pub timing: Timing,
    /// Paths of the contract that it is known not to serve: their checks are left out.
    pub not_served: Vec<String>,
    /// How long any one answer may take. It detects hangs and judges no speed.
    pub patience: Duration,
}

impl Target {
    /// A server at `address` that was started with [`settings`](Self::settings), and five seconds of patience.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            limits: Limits { poll_bytes: 256 * 1024, ..Limits::default() },
            timing: Timing {
                poll_wait_ms: 2_000,
                retry_ms: 1_500,
                heartbeat_ms: 500,
                tcp_keepalive_s: 1,
                tcp_user_timeout_ms: 5_000,
            },
            not_served: Vec::new(),
            patience: Duration::from_secs(5),
        }
    }

    /// What the server is to be started with, by the names of the contract's variables. Times are such that the checks
    /// take seconds, and no default, so that a server that does not read its settings is found out.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let (limits, timing) = (&self.limits, &self.timing);
        vec![
            ("PUBLICATION_BYTES", limits.publication_bytes.to_string()),
            ("ECHO_BYTES", limits.echo_bytes.to_string()),
            ("REPLAY_WINDOW", limits.replay_window.to_string()),
            ("POLL_BYTES", limits.poll_bytes.to_string()),
            ("POLL_WAIT_MS", timing.poll_wait_ms.to_string()),
            ("RETRY_MS", timing.retry_ms.to_string()),
            ("HEARTBEAT_MS", timing.heartbeat_ms.to_string()),
            ("TCP_KEEPALIVE_S", timing.tcp_keepalive_s.to_string()),
            ("TCP_USER_TIMEOUT_MS", timing.tcp_user_timeout_ms.to_string()),
        ]
    }

    pub(crate) fn serves(&self, path: &str) -> bool {
        !self.not_served.iter().any(|own| own == path)
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
    /// The server is known not to serve this path, and the check was left out.
    NotServed(&'static str),
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
    /// Did all pass that ran? False if none did: then nothing is proved.
    #[must_use]
    pub fn passed(&self) -> bool {
        let any_passed = self.results.iter().any(|(_, outcome)| *outcome == Outcome::Passed);
        any_passed && self.failures().next().is_none()
    }

    /// The checks that failed, each with how.
    pub fn failures(&self) -> impl Iterator<Item = (&'static Check, &Failure)> {
        self.results.iter().filter_map(|(check, outcome)| match outcome {
            Outcome::Passed | Outcome::NotServed(_) => None,
            Outcome::Failed(failure) => Some((*check, failure)),
        })
    }
}
