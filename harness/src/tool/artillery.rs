use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use loadgen::{Event, Phase};
use serde::Deserialize;

use super::found::{in_path, known_version, missing};
use super::report::{Latency, Read, ToolReport, raw};
use super::{Fault, Question, Tool};
use crate::plan::{Load, Rate, ToolName, Transport};

/// Artillery, with the scenarios and the processor of the folder `artillery`.
#[derive(Debug)]
pub struct Artillery;

/// Its reports end so, in the folder of a trial's logs.
pub const REPORT_END: &str = ".artillery.json";
const KNOWN: &str = "2.0.";
const HOW: &str = "scripts/setup.sh installs it, if Node 20 is there";
/// Its users arrive within this time, and ask for a while before anything counts.
const RAMP_S: f64 = 1.0;
const WARM_UP_S: f64 = 0.5;
/// What its clock of HTTP tells apart: got's timings are whole milliseconds.
const HTTP_RESOLUTION_US: f64 = 1000.0;
/// How far its percentiles may be off: its sketches' relative accuracy (ssms.js).
const ACCURACY: f64 = 0.01;

impl Tool for Artillery {
    fn name(&self) -> ToolName {
        ToolName::Artillery
    }

    fn measures(&self) -> &'static str {
        "xhr, countdown, and echo and broadcast over WebSocket, by seconds; latency to 1 %, of HTTP in whole milliseconds, of WebSockets by our processor alone"
    }

    fn find(&self, root: &Path) -> Result<String, Fault> {
        #[derive(Deserialize)]
        struct Package {
            version: String,
        }
        in_path("node").ok_or_else(|| missing(HOW))?;
        let text = fs::read_to_string(root.join("artillery/node_modules/artillery/package.json"));
        let text = text.map_err(|_| missing(HOW))?;
        let package: Package =
            serde_json::from_str(&text).map_err(|error| Fault::garbage(error.to_string()))?;
        known_version(&package.version, KNOWN, HOW)
    }

    fn command(&self, question: &Question<'_>) -> Result<Vec<String>, Fault> {
        let Scenario { file: scenario, path, users, settings } = Scenario::of(question.load);
        let scheme = if is_http(question.load) { "http" } else { "ws" };
        let target = format!("{scheme}://{}{path}", question.target);
        // All of a broadcast happens in one process, since its subscribers tell its publisher what has reached them.
        let workers = if path == BROADCAST { NonZeroUsize::MIN } else { question.threads };
        let phases = serde_json::json!({
            "config": { "phases": [{ "name": "ramp", "duration": RAMP_S, "arrivalCount": users }] }
        });
        let folder = question.root.join("artillery");
        let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let mut words = vec!["env".to_owned()];
        words.extend(settings.into_iter().map(|(name, value)| format!("{name}={value}")));
        words.extend([
            format!("RAMP_S={RAMP_S}"),
            format!("WARM_UP_S={WARM_UP_S}"),
            format!("STEADY_S={}", question.seconds),
            format!("WORKERS={workers}"),
            "ARTILLERY_DISABLE_TELEMETRY=true".to_owned(),
            "node".to_owned(),
            "--require".to_owned(),
            file("offline.cjs"),
            file("node_modules/artillery/bin/run"),
            "run".to_owned(),
            "--target".to_owned(),
            target,
            "--overrides".to_owned(),
            phases.to_string(),
            "--output".to_owned(),
            report_file(question).to_string_lossy().into_owned(),
            file(scenario),
        ]);
        Ok(words)
    }

    fn phase(&self, line: &str) -> Option<Phase> {
        // Our processor says it as our load generator does.
        match serde_json::from_str(line) {
            Ok(Event::Phase(phase)) => Some(phase),
            _ => None,
        }
    }

    fn tells_begin(&self) -> bool {
        true
    }

    fn read(&self, question: &Question<'_>, _: &str) -> Result<Read, Fault> {
        let file = report_file(question);
        let text = fs::read_to_string(&file)
            .map_err(|error| Fault::garbage(format!("no report {}: {error}", file.display())))?;
        Ok(read(question, &text)?.into())
    }
}

/// How a load is told to it.
struct Scenario {
    /// The scenario, in the folder `artillery`.
    file: &'static str,
    /// Path of the target.
    path: &'static str,
    /// How many ask, or subscribe.
    users: usize,
    /// What the processor reads of the environment.
    settings: Vec<(&'static str, u64)>,
}

const BROADCAST: &str = "/ws/broadcast";

impl Scenario {
    /// Of a load that it can drive.
    fn of(load: &Load) -> Self {
        let xhr = Self { file: "xhr.yml", path: "", users: load.connections(), settings: Vec::new() };
        match *load {
            Load::Echo { payload_bytes, .. } => Self {
                file: "echo.yml",
                path: "/ws/echo",
                settings: vec![("PAYLOAD_BYTES", payload_bytes as u64)],
                ..xhr
            },
            Load::Countdown { from, transport: Transport::Websocket, .. } => Self {
                file: "countdown.yml",
                path: "/ws/countdown",
                settings: vec![("COUNTDOWN_FROM", from.get())],
                ..xhr
            },
            Load::Countdown { from, .. } => Self { settings: vec![("COUNTDOWN_FROM", from.get())], ..xhr },
            Load::Broadcast { subscribers, payload_bytes, rate, .. } => {
                let mut settings = vec![("PAYLOAD_BYTES", payload_bytes as u64)];
                if let Some(Rate::PerSecond(rate)) = rate {
                    settings.push(("PUBLICATIONS_PER_S", u64::from(rate.get())));
                }
                Self { file: "broadcast.yml", path: BROADCAST, users: subscribers.get(), settings }
            }
            _ => xhr,
        }
    }
}

/// Is it one of those of which Artillery has a latency of its own?
fn is_http(load: &Load) -> bool {
    matches!(load, Load::Xhr { .. } | Load::Countdown { transport: Transport::Xhr, .. })
}

fn report_file(question: &Question<'_>) -> PathBuf {
    let mut name = question.scratch.clone().into_os_string();
    name.push(REPORT_END);
    name.into()
}

/// Its report, of which the aggregate counts: rates are made of counters here, since its own are means of rounded ones.
#[derive(Debug, Deserialize)]
struct Written {
    aggregate: Aggregate,
}

#[derive(Debug, Deserialize)]
struct Aggregate {
    counters: BTreeMap<String, u64>,
    #[serde(default)]
    summaries: BTreeMap<String, Summary>,
}

/// A histogram's points, in the unit in which it was filled.
#[derive(Debug, Deserialize)]
struct Summary {
    min: f64,
    max: f64,
    mean: f64,
    median: f64,
    p99: f64,
}

impl Summary {
    /// As a latency, `unit_us` being the µs of its unit.
    fn latency(&self, unit_us: f64) -> Latency {
        let us = |value: f64| Some(value * unit_us);
        Latency {
            min_us: us(self.min),
            mean_us: us(self.mean),
            median_us: us(self.median),
            p99_us: us(self.p99),
            max_us: us(self.max),
        }
    }
}

fn read(question: &Question<'_>, text: &str) -> Result<ToolReport, Fault> {
    let Written { aggregate } =
        serde_json::from_str(text).map_err(|error| Fault::garbage(error.to_string()))?;
    let Aggregate { counters, summaries } = aggregate;
    let errors: BTreeMap<String, u64> =
        counters.iter().filter_map(|(name, count)| Some((cause(name)?.to_owned(), *count))).collect();
    let requests = counters.get("asked.answers").copied().unwrap_or(0);
    if requests == 0 {
        return Err(Fault::NoRequests { errors });
    }
    let summary = |name: &str| {
        summaries.get(name).ok_or_else(|| Fault::garbage(format!("answers and no histogram {name}")))
    };
    let asked = summary("asked.latency_us")?.latency(1.0);
    let (latency, recovered, resolution_us, notes) = if is_http(question.load) {
        let note = "its own latencies are in whole milliseconds, and of its warm-up too".to_owned();
        (summary("http.response_time")?.latency(1000.0), Some(asked), HTTP_RESOLUTION_US, vec![note])
    } else {
        (asked, None, asked.median_us.unwrap_or(0.0) * ACCURACY, Vec::new())
    };
    Ok(ToolReport {
        requests,
        seconds: question.seconds,
        said_per_s: None,
        errors,
        latency,
        resolution_us,
        recovered,
        notes,
        raw: raw(text),
    })
}

/// What went wrong, if it is an error that a counter of this name counts.
fn cause(counter: &str) -> Option<&str> {
    let cause = counter.strip_prefix("asked.errors.").or_else(|| counter.strip_prefix("errors."))?;
    // Of a WebSocket that cannot connect it counts this, with the address, and the error's code besides.
    (!cause.starts_with("connect ")).then_some(cause)
}

#[cfg(test)]
mod tests;
