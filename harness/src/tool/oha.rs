use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::found::{first_line_of, known_version, missing};
use super::report::{Latency, Read, ToolReport, raw};
use super::{Fault, Question, Tool};
use crate::plan::{Load, ToolName};

/// oha, which writes JSON with all the digits of its clock.
#[derive(Debug)]
pub struct Oha;

const KNOWN: &str = "1.16.";
const HOW: &str = "scripts/setup.sh --oha builds it, in some minutes";
/// A request beyond it counts as an error.
const TIMEOUT: &str = "10s";
/// It cuts off what is under way when its time is over, and lists it among the errors.
const CUT_OFF: &str = "aborted due to deadline";

impl Tool for Oha {
    fn name(&self) -> ToolName {
        ToolName::Oha
    }

    fn measures(&self) -> &'static str {
        "xhr by seconds or requests; latency in ns, without the requests under way at its end, which it cuts off"
    }

    fn find(&self, root: &Path) -> Result<String, Fault> {
        program(root).map(|(_, version)| version)
    }

    fn command(&self, question: &Question<'_>) -> Result<Vec<String>, Fault> {
        let (how, much) = match question.load {
            Load::Xhr { requests: Some(requests), .. } => ("-n", requests.to_string()),
            _ => ("-z", format!("{}ms", (question.seconds * 1e3).round())),
        };
        let program = program(question.root).map_or_else(|_| PathBuf::from("oha"), |(program, _)| program);
        let program = program.to_string_lossy();
        let connections = question.load.connections().to_string();
        let (threads, url) = (question.threads.to_string(), question.xhr_url());
        let words = [&*program, how, &much, "-c", &connections, "--worker-threads", &threads, "-t", TIMEOUT];
        let words = words.into_iter().chain(["--no-tui", "--output-format", "json", &url]);
        Ok(words.map(str::to_owned).collect())
    }

    fn read(&self, _: &Question<'_>, output: &str) -> Result<Read, Fault> {
        let written: Written =
            serde_json::from_str(output).map_err(|error| Fault::garbage(error.to_string()))?;
        Ok(written.read(raw(output))?.into())
    }
}

/// The one that is installed, or else the one that setup has built, with its version: the first whose output is known.
fn program(root: &Path) -> Result<(PathBuf, String), Fault> {
    let mut fault = missing(HOW);
    for program in [PathBuf::from("oha"), root.join("tools/bin/oha")] {
        let said = first_line_of(&program, &["--version"], HOW);
        match said.and_then(|said| known_version(said.trim_start_matches("oha "), KNOWN, HOW)) {
            Ok(version) => return Ok((program, version)),
            Err(Fault::Missing { .. }) => {}
            Err(found) => fault = found,
        }
    }
    Err(fault)
}

/// What is read of its JSON (schema.json of its repository). It writes null for what it has no figure for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    summary: Summary,
    latency_percentiles: BTreeMap<String, Option<f64>>,
    status_code_distribution: BTreeMap<String, u64>,
    error_distribution: BTreeMap<String, u64>,
}

/// Times in seconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    total: f64,
    slowest: Option<f64>,
    fastest: Option<f64>,
    average: Option<f64>,
    requests_per_sec: Option<f64>,
}

impl Written {
    fn read(self, raw: String) -> Result<ToolReport, Fault> {
        let Self { summary, latency_percentiles, status_code_distribution, mut error_distribution } = self;
        let cut_off = error_distribution.remove(CUT_OFF);
        let mut errors = error_distribution;
        let mut requests = 0_u64;
        for (status, count) in status_code_distribution {
            if status.starts_with('2') {
                requests = requests.saturating_add(count);
            } else {
                errors.insert(format!("HTTP status {status}"), count);
            }
        }
        if requests == 0 {
            return Err(Fault::NoRequests { errors });
        }
        let seconds = summary.total;
        if !(seconds.is_finite() && seconds > 0.0) {
            return Err(Fault::garbage(format!("a total of {seconds} s")));
        }
        let us = |seconds: Option<f64>| seconds.map(|seconds| seconds * 1e6);
        let percentile = |name: &str| us(latency_percentiles.get(name).copied().flatten());
        let latency = Latency {
            min_us: us(summary.fastest),
            mean_us: us(summary.average),
            median_us: percentile("p50"),
            p99_us: percentile("p99"),
            max_us: us(summary.slowest),
        };
        let note = |count| {
            format!("{count} requests that were under way at its end are no errors here, and in no latency")
        };
        Ok(ToolReport {
            requests,
            seconds,
            said_per_s: summary.requests_per_sec,
            errors,
            latency,
            resolution_us: 0.001,
            recovered: None,
            notes: cut_off.into_iter().map(note).collect(),
            raw,
        })
    }
}

#[cfg(test)]
mod tests;
