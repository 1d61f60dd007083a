use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::found::{in_path, known_version, missing};
use super::report::{Latency, Read, ToolReport, raw};
use super::{Fault, Question, Tool};
use crate::plan::{Load, ToolName};

/// hey. Its summary is read and not its CSV, which leaves out errors and is no finer.
#[derive(Debug)]
pub struct Hey;

const KNOWN: &str = "0.1.";
/// It has no flag that tells its version: only the package that it came in does.
const UNKNOWN: &str = "of unknown version";
const HOW: &str = "scripts/setup.sh installs it from the distribution's packages";
/// A request beyond it counts as an error, in seconds.
const TIMEOUT_S: u32 = 10;
/// It shows times in seconds with four digits behind the point.
const RESOLUTION_US: f64 = 100.0;
/// How far it may round its total, in seconds.
const TOTAL_S: f64 = 1e-4;
/// It keeps so many latencies and no more (report.go, `maxRes`).
const MOST_KEPT: u64 = 1_000_000;

impl Tool for Hey {
    fn name(&self) -> ToolName {
        ToolName::Hey
    }

    fn measures(&self) -> &'static str {
        "xhr by seconds or requests; latency in steps of 100 µs, of the first million requests alone"
    }

    fn find(&self, _: &Path) -> Result<String, Fault> {
        in_path("hey").ok_or_else(|| missing(HOW))?;
        let package = Command::new("dpkg-query").args(["--show", "--showformat=${Version}", "hey"]).output();
        match package {
            Ok(output) if output.status.success() => {
                known_version(String::from_utf8_lossy(&output.stdout).trim(), KNOWN, HOW)
            }
            _ => Ok(UNKNOWN.to_owned()),
        }
    }

    fn command(&self, question: &Question<'_>) -> Result<Vec<String>, Fault> {
        let (how, much) = match question.load {
            Load::Xhr { requests: Some(requests), .. } => ("-n", requests.to_string()),
            _ => ("-z", format!("{}ms", (question.seconds * 1e3).round())),
        };
        let connections = question.load.connections().to_string();
        let threads = question.threads.to_string();
        let url = question.xhr_url();
        let words =
            ["hey", how, &much, "-c", &connections, "-cpus", &threads, "-t", &TIMEOUT_S.to_string(), &url];
        Ok(words.map(str::to_owned).into())
    }

    fn read(&self, _: &Question<'_>, output: &str) -> Result<Read, Fault> {
        let summary = Summary::of(output)?;
        Ok(summary.read(raw(output))?.into())
    }
}

/// What its summary says, in seconds.
#[derive(Debug, Default)]
struct Summary {
    total_s: Option<f64>,
    slowest_s: Option<f64>,
    fastest_s: Option<f64>,
    average_s: Option<f64>,
    per_s: Option<f64>,
    median_s: Option<f64>,
    p99_s: Option<f64>,
    /// Answers, by HTTP status.
    answers: BTreeMap<u16, u64>,
    errors: BTreeMap<String, u64>,
    is_whole: bool,
}

/// Parts of the summary in which lines of one look mean different things.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Summary,
    Statuses,
    Errors,
    Other,
}

impl Summary {
    fn of(output: &str) -> Result<Self, Fault> {
        let mut summary = Self::default();
        let mut part = Part::Other;
        for (line, number) in output.lines().map(str::trim_end).zip(1..) {
            let Some(indented) = line.strip_prefix("  ") else {
                part = match line {
                    "Summary:" => Part::Summary,
                    "Status code distribution:" => Part::Statuses,
                    "Error distribution:" => Part::Errors,
                    "" => part,
                    _ => Part::Other,
                };
                summary.is_whole |= part == Part::Statuses;
                continue;
            };
            let read = match part {
                Part::Summary => summary.figure(indented),
                Part::Statuses => summary.status(indented),
                Part::Errors => summary.error(indented),
                Part::Other => summary.percentile(indented),
            };
            read.ok_or_else(|| {
                Fault::garbage(format!("line {number}: {:?}", line.chars().take(120).collect::<String>()))
            })?;
        }
        Ok(summary)
    }

    /// `Total:\t1.0012 secs`
    fn figure(&mut self, line: &str) -> Option<()> {
        let (name, value) = line.split_once(":\t")?;
        let figure = match name {
            "Total" => &mut self.total_s,
            "Slowest" => &mut self.slowest_s,
            "Fastest" => &mut self.fastest_s,
            "Average" => &mut self.average_s,
            "Requests/sec" => &mut self.per_s,
            _ => return Some(()),
        };
        let number: f64 = value.trim().trim_end_matches(" secs").parse().ok()?;
        // NaN: there is nothing to take the mean of.
        *figure = Some(number).filter(|number| number.is_finite() && *number >= 0.0);
        Some(())
    }

    /// `50% in 0.0012 secs`; other lines of the part are of no interest.
    fn percentile(&mut self, line: &str) -> Option<()> {
        if let Some((share, time)) = line.split_once("% in ") {
            let seconds: f64 = time.strip_suffix(" secs")?.parse().ok()?;
            match share.trim_end_matches('%') {
                "50" => self.median_s = Some(seconds),
                "99" => self.p99_s = Some(seconds),
                _ => {}
            }
        }
        Some(())
    }

    /// `[200]\t10000 responses`
    fn status(&mut self, line: &str) -> Option<()> {
        let (status, count) = bracketed(line)?;
        self.answers.insert(status.parse().ok()?, count.strip_suffix(" responses")?.parse().ok()?);
        Some(())
    }

    /// `[12]\tGet "http://…": dial tcp …: connect: connection refused`
    fn error(&mut self, line: &str) -> Option<()> {
        // A cause may itself have several lines.
        let Some((count, cause)) = bracketed(line) else { return Some(()) };
        let counted = self.errors.entry(without_addresses(cause)).or_default();
        *counted = counted.saturating_add(count.parse().ok()?);
        Some(())
    }

    fn read(self, raw: String) -> Result<ToolReport, Fault> {
        if !self.is_whole {
            return Err(Fault::garbage("no \"Status code distribution:\""));
        }
        let is_good = |status: u16| (200..300).contains(&status);
        let requests =
            total(self.answers.iter().filter(|(status, _)| is_good(**status)).map(|(_, count)| *count));
        let answered = total(self.answers.values().copied());
        let mut errors = self.errors;
        for (status, count) in self.answers.iter().filter(|(status, _)| !is_good(**status)) {
            errors.insert(format!("HTTP status {status}"), *count);
        }
        if requests == 0 {
            return Err(Fault::NoRequests { errors });
        }
        let missing = |name: &str| Fault::garbage(format!("no {name:?}"));
        let per_s = self.per_s.filter(|per_s| *per_s > 0.0).ok_or_else(|| missing("Requests/sec"))?;
        let total_s = self.total_s.ok_or_else(|| missing("Total"))?;
        let failed = total(errors.values().copied());
        // The total is rounded; all requests ÷ their rate is less so.
        let seconds = requests.saturating_add(failed) as f64 / per_s;
        if (seconds - total_s).abs() > TOTAL_S + 1.0 / per_s {
            return Err(Fault::garbage(format!(
                "{total_s} s at {per_s}/s are not the answers and errors that are listed"
            )));
        }
        let us = |seconds: Option<f64>| seconds.map(|seconds| seconds * 1e6);
        let mut notes = Vec::new();
        let mut mean_us = us(self.average_s);
        if answered > MOST_KEPT {
            notes.push(format!("its latencies are those of the first {MOST_KEPT} of {answered} requests"));
            // It divides the sum of all by the number of those kept (report.go, `finalize`).
            mean_us = mean_us.map(|mean_us| mean_us * MOST_KEPT as f64 / answered as f64);
        }
        let latency = Latency {
            min_us: us(self.fastest_s),
            mean_us,
            median_us: us(self.median_s),
            p99_us: us(self.p99_s),
            max_us: us(self.slowest_s),
        };
        let said_per_s = Some(per_s);
        let (resolution_us, recovered) = (RESOLUTION_US, None);
        Ok(ToolReport {
            requests,
            seconds,
            said_per_s,
            errors,
            latency,
            resolution_us,
            recovered,
            notes,
            raw,
        })
    }
}

/// `[what]\trest`
fn bracketed(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix('[')?.split_once("]\t")
}

/// `connect: connection refused` of an error that names method, URL and addresses before it.
fn without_addresses(cause: &str) -> String {
    let mut parts: Vec<&str> = cause.rsplitn(3, ": ").take(2).collect();
    parts.reverse();
    parts.join(": ")
}

fn total(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests;
