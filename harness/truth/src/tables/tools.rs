use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use harness::results::{Outcome, Run};
use harness::tool::Latency;
use serde::{Deserialize, Serialize};
use truth::Given;

use super::record::{shown_us, us};

/// The resolution of our own load generator: its histogram keeps three digits.
const OWN_RESOLUTION: f64 = 0.001;
/// The percentiles that every tool tells.
const SHARES: [f64; 2] = [0.5, 0.99];

/// What a tool said of a known delay: one line of results/truth/tools.jsonl.
#[derive(Serialize, Deserialize)]
struct Told {
    tool: String,
    version: String,
    requests: u64,
    given: Given,
    said: Latency,
    /// The least difference of two latencies that it can show at the delay's median, in µs.
    resolution_us: f64,
    /// Before the tool changed it, or by a better clock than its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recovered: Option<Latency>,
}

/// The lines that a run of contenders with known delays makes: what each said, beside what the server gave in the same trial.
/// `given` has a file `CONTENDER.given` for each, with a line a trial, in their order.
pub(crate) fn told(run: &Run, given: &Path) -> Result<String, Box<dyn Error>> {
    let mut lines = String::new();
    for entry in &run.header.contenders {
        let file = given.join(format!("{}.given", entry.name));
        let text = fs::read_to_string(&file)
            .map_err(|error| format!("failed to read {}: {error}", file.display()))?;
        let trials: Vec<_> = run.trials.iter().filter(|trial| trial.slot.contender == entry.name).collect();
        if text.lines().count() != trials.len() {
            return Err(format!(
                "{} has not a line a trial, of which there are {}",
                file.display(),
                trials.len()
            )
            .into());
        }
        for (trial, line) in trials.iter().zip(text.lines()) {
            let given: Given = serde_json::from_str(line)?;
            let Outcome::Measured(measured) = &trial.outcome else { continue };
            let measurement = &measured.measurement;
            if !measurement.errors.is_empty() {
                continue;
            }
            let (said, resolution_us, recovered) = match &measured.report {
                Some(report) => (report.latency, report.resolution_us, report.recovered),
                None => {
                    let said = Latency::of(&measurement.latency).ok_or("a load without a message")?;
                    (said, us(&given.delays, 0.5) * OWN_RESOLUTION, None)
                }
            };
            let told = Told {
                tool: trial.slot.load.tool().to_string(),
                version: measurement.version.clone(),
                requests: measurement.messages,
                given,
                said,
                resolution_us,
                recovered,
            };
            lines.push_str(&serde_json::to_string(&told)?);
            lines.push('\n');
        }
    }
    Ok(lines)
}

/// What each tool said of each delay, beside what the server gave in that trial and what our own load generator said in its own.
pub(crate) fn tools(records: &Path) -> Result<String, Box<dyn Error>> {
    let text = fs::read_to_string(records)
        .map_err(|error| format!("failed to read {}: {error}", records.display()))?;
    let told: Result<Vec<Told>, _> = text.lines().map(serde_json::from_str).collect();
    let mut told = told.map_err(|error| format!("malformed {}: {error}", records.display()))?;
    told.sort_by(|a, b| us(&a.given.delays, 0.0).total_cmp(&us(&b.given.delays, 0.0)));
    let mut table = String::from(
        "| delay, µs | tool | requests | p50, µs | p99, µs | resolution, µs | p50 beside ours, µs | below the truth |\n\
         |---|---|--:|--:|--:|--:|--:|---|\n",
    );
    for record in &told {
        let ours = told
            .iter()
            .find(|other| other.tool == harness::tool::NAME && other.given.delay == record.given.delay);
        let ours_us = ours.and_then(|ours| ours.said.median_us);
        let name = format!("{} {}", record.tool, record.version);
        table.push_str(&row(record, &name, &record.said, ours_us));
        if let Some(recovered) = &record.recovered {
            let how = if record.tool == "artillery" { "by our processor" } else { "before its correction" };
            table.push_str(&row(record, &format!("{name}, {how}"), recovered, ours_us));
        }
    }
    Ok(table)
}

fn row(record: &Told, name: &str, said: &Latency, ours_us: Option<f64>) -> String {
    let given_us = SHARES.map(|share| us(&record.given.delays, share));
    let said_us = [said.median_us, said.p99_us].map(|said_us| said_us.unwrap_or(0.0));
    let mut row = format!("| {} | {name} | {} |", record.given.delay, record.requests);
    for (given, said) in given_us.iter().zip(said_us) {
        let _ = write!(row, " {} → {} |", shown_us(*given), shown_us(said));
    }
    let beside = ours_us.map_or("–".to_owned(), |ours_us| signed(said_us[0] - ours_us));
    // The delay itself is least: what the tool says may be below it by what it cannot tell apart, and no more.
    let least_us = us(&record.given.delays, 0.0);
    let is_below = said_us[0] + record.resolution_us < least_us;
    let verdict = if is_below { "**yes**" } else { "no" };
    let _ = writeln!(row, " {} | {beside} | {verdict} |", shown_us(record.resolution_us));
    row
}

fn signed(us: f64) -> String {
    format!("{}{}", if us < 0.0 { '−' } else { '+' }, shown_us(us.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_by(tool: &str, median_us: f64) -> String {
        let mut given = Given::new("constant:1000".parse().expect("a delay"));
        (0..9).for_each(|_| given.add_reply(std::time::Duration::from_micros(1000)));
        let said = Latency { median_us: Some(median_us), p99_us: Some(1300.0), ..Latency::default() };
        let recovered = (tool == "wrk").then_some(said);
        let version = "1".to_owned();
        let told = Told {
            tool: tool.to_owned(),
            version,
            requests: 9,
            given,
            said,
            resolution_us: 100.0,
            recovered,
        };
        serde_json::to_string(&told).expect("JSON")
    }

    #[test]
    fn what_each_said_stands_beside_the_truth_and_ours() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tools.jsonl");
        let lines = [told_by("loadgen", 1100.0), told_by("wrk", 1150.0), told_by("hey", 850.0)];
        fs::write(&file, lines.join("\n")).expect("written");
        let table = tools(&file).expect("a table");
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| constant:1000 | loadgen 1 | 9 | 1,000 → 1,100 | 1,000 → 1,300 | 100 | +0.0 | no |",
                "| constant:1000 | wrk 1 | 9 | 1,000 → 1,150 | 1,000 → 1,300 | 100 | +50.0 | no |",
                "| constant:1000 | wrk 1, before its correction | 9 | 1,000 → 1,150 | 1,000 → 1,300 | 100 | +50.0 | no |",
                "| constant:1000 | hey 1 | 9 | 1,000 → 850 | 1,000 → 1,300 | 100 | −250 | **yes** |",
            ]
        );
    }
}
