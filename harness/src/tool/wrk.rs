use std::collections::BTreeMap;
use std::path::Path;

use loadgen::{Distribution, Phase};
use serde::Deserialize;

use super::found::{first_line_of, known_version};
use super::report::{Latency, Read, ToolReport, raw};
use super::{Fault, Question, Tool};
use crate::plan::ToolName;

/// wrk, told by a script of ours to write JSON.
#[derive(Debug)]
pub struct Wrk;

/// Beside its reader.
const SCRIPT: &str = "harness/src/tool/wrk.lua";
const KNOWN: &str = "4.";
const HOW: &str = "scripts/setup.sh installs it from the distribution's packages";
/// A request beyond it counts as an error, and as no latency.
const TIMEOUT: &str = "10s";

impl Tool for Wrk {
    fn name(&self) -> ToolName {
        ToolName::Wrk
    }

    fn measures(&self) -> &'static str {
        "xhr by seconds; latency in µs, which it corrects for coordinated omission: shown as it says it and as it was before"
    }

    fn find(&self, _: &Path) -> Result<String, Fault> {
        // It ends in failure with its version.
        let said = first_line_of("wrk", &["-v"], HOW)?;
        let version = said.split_whitespace().nth(1).unwrap_or(&said);
        known_version(version.trim_start_matches("debian/"), KNOWN, HOW)
    }

    fn command(&self, question: &Question<'_>) -> Result<Vec<String>, Fault> {
        let connections = question.load.connections();
        // It takes at least a connection a thread, and whole seconds.
        let threads = question.threads.get().min(connections);
        let seconds = question.seconds.ceil();
        let script = question.root.join(SCRIPT);
        let words = [
            "wrk".to_owned(),
            format!("--threads={threads}"),
            format!("--connections={connections}"),
            format!("--duration={seconds}s"),
            format!("--timeout={TIMEOUT}"),
            format!("--script={}", script.display()),
            question.xhr_url(),
        ];
        Ok(words.into())
    }

    fn phase(&self, line: &str) -> Option<Phase> {
        (line == r#"{"drain":true}"#).then_some(Phase::Drain)
    }

    fn read(&self, question: &Question<'_>, output: &str) -> Result<Read, Fault> {
        let expected = "no line of JSON from wrk.lua";
        let line = output.lines().rev().find(|line| line.starts_with("{\"wrk\":"));
        let Written { wrk } = serde_json::from_str(line.ok_or_else(|| Fault::garbage(expected))?)
            .map_err(|error| Fault::garbage(error.to_string()))?;
        wrk.read(question.load.connections() as u64, raw(output))
    }
}

#[derive(Debug, Deserialize)]
struct Written {
    wrk: Summary,
}

/// What `wrk.lua` writes.
#[derive(Debug, Deserialize)]
struct Summary {
    duration_us: u64,
    requests: u64,
    errors: BTreeMap<String, u64>,
    latency_us: LatencyUs,
    /// Latencies in µs, rising, each with how often: corrected.
    counts: Vec<(u64, u64)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LatencyUs {
    min: Option<f64>,
    mean: Option<f64>,
    median: Option<f64>,
    p99: Option<f64>,
    max: Option<f64>,
}

impl Summary {
    fn read(self, connections: u64, raw: String) -> Result<Read, Fault> {
        let count = |name: &str| self.errors.get(name).copied().unwrap_or(0);
        let requests = self.requests.saturating_sub(count("status"));
        let errors: BTreeMap<String, u64> = self
            .errors
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(name, count)| (named(name), *count))
            .collect();
        if requests == 0 {
            return Err(Fault::NoRequests { errors });
        }
        if self.duration_us == 0 {
            return Err(Fault::garbage("a duration of 0"));
        }
        let mut notes = Vec::new();
        let interval_us = expected_interval_us(self.duration_us, self.requests, connections);
        let latencies = uncorrected(&self.counts, interval_us).unwrap_or_default();
        let recovered = Latency::of(&latencies);
        if recovered.is_none() && interval_us.is_some() {
            notes.push("its correction for coordinated omission could not be undone".to_owned());
        }
        let LatencyUs { min, mean, median, p99, max } = self.latency_us;
        let seconds = self.duration_us as f64 / 1e6;
        let latency = Latency { min_us: min, mean_us: mean, median_us: median, p99_us: p99, max_us: max };
        let said_per_s = Some(self.requests as f64 / seconds);
        let report = ToolReport {
            requests,
            seconds,
            said_per_s,
            errors,
            latency,
            resolution_us: 1.0,
            recovered,
            notes,
            raw,
        };
        Ok(Read { report, latencies })
    }
}

fn named(error: &str) -> String {
    match error {
        "status" => "HTTP status of 400 or more".to_owned(),
        other => other.to_owned(),
    }
}

/// What wrk takes for the time between two requests of a connection (wrk.c, `main`); `None`: it corrects nothing.
fn expected_interval_us(duration_us: u64, requests: u64, connections: u64) -> Option<u64> {
    let of_each = requests.checked_div(connections)?;
    duration_us.checked_div(of_each).filter(|interval_us| *interval_us > 0)
}

/// Takes back what wrk did (stats.c, `stats_correct`): to each latency n from twice the interval on it adds n − interval,
/// n − 2 × interval and so on, those above the interval. What was added at m is therefore all that stands, added or not, at
/// m + interval. `None`: the counts cannot have come about so.
fn uncorrected(counts: &[(u64, u64)], interval_us: Option<u64>) -> Option<Distribution> {
    let corrected: BTreeMap<u64, u64> = counts.iter().copied().collect();
    let mut latencies = Distribution::new();
    for (&value_us, &count) in &corrected {
        let added = interval_us
            .filter(|interval_us| value_us > *interval_us)
            .and_then(|interval_us| corrected.get(&value_us.checked_add(interval_us)?))
            .copied()
            .unwrap_or(0);
        let recorded = count.checked_sub(added)?;
        if recorded > 0 {
            latencies.record_many_ns(value_us.saturating_mul(1000), recorded);
        }
    }
    Some(latencies)
}

#[cfg(test)]
mod tests;
