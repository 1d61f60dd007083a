//! Driving a server with another's load generator.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use loadgen::{Connections, Distribution, Measurement, Phase};

use super::bench::{Bench, Taken};
use super::driver::Driver;
use super::judge::outside_doubts;
use super::meter::{Meter, Used};
use super::{Failed, Failure};
use crate::plan::Load;
use crate::tool::{self, Fault, Question, Read, Session, Step, Tool, ToolReport};

/// What our own load generator counts after warming the server up for another: nobody looks at it.
const UNUSED_S: f64 = 0.1;
/// What a tool may take beyond its load: to start, to wait for the last answers, and to write its report.
const BEYOND_LOAD: Duration = Duration::from_secs(30);
/// Of this many requests a second a load of so many is expected to last no longer.
const LEAST_PER_S: f64 = 100.0;

impl Bench<'_> {
    /// Has our own load generator warm the server up, as for any load, and then another's drive it.
    pub(super) fn take_outside(
        &self,
        driver: &mut Driver<'_>,
        load: &Load,
        tool: &dyn Tool,
    ) -> Result<Taken, Failed> {
        let failed = |fault: Fault| Failed::from(Failure::OutsideTool { tool: tool.name(), fault });
        let found = self.tools.iter().find(|found| found.tool == tool.name());
        let version = found.and_then(|found| found.version.clone());
        let warm = driver.drive(tool::workload(load, None, 0), false, self.timing(UNUSED_S))?.0;
        let question = Question {
            root: self.boot.root.path(),
            target: self.boot.address,
            load,
            seconds: self.profile.seconds,
            threads: NonZeroUsize::new(self.tool_cores.len()).unwrap_or(NonZeroUsize::MIN),
            scratch: driver.log.with_extension(""),
        };
        let command = tool.command(&question).map_err(failed)?;
        let (output, used) = self.run_outside(driver, tool, &question, &command)?;
        let Read { report, latencies } = tool.read(&question, &output).map_err(|fault| {
            let end = output.char_indices().rev().nth(400).map_or(0, |(at, _)| at);
            let log_tail = format!("{}\n{}", crate::machine::log_tail(&driver.log), &output[end..]);
            Failed { log_tail: log_tail.trim().to_owned(), ..failed(fault) }
        })?;
        let cores = self.tool_cores.len();
        let busy_share = used.tool.as_ref().map_or(0.0, |spent| spent.cores_busy() / cores as f64);
        let doubts = outside_doubts(question.load, &report, busy_share);
        let cpu_us = busy_share * cores as f64 * report.seconds * 1e6;
        let engine = tool.name().to_string();
        let version = version.unwrap_or_default();
        let measurement = Measurement { version, engine, cpu_us, ..counted(&report, latencies, warm) };
        Ok(Taken {
            driven: (measurement, used),
            doubts,
            calibration: None,
            search: None,
            report: Some(report),
        })
    }

    /// Everything that the tool wrote, and what was used while its load lasted.
    fn run_outside(
        &self,
        driver: &mut Driver<'_>,
        tool: &dyn Tool,
        question: &Question<'_>,
        command: &[String],
    ) -> Result<(String, Used), Failed> {
        let name = tool.name();
        let failed =
            |fault, log_tail| Failed { failure: Failure::OutsideTool { tool: name, fault }, log_tail };
        let boot = &self.boot;
        let mut meter = Meter::new(driver.server.pid(), boot.address.port(), [boot.cores, self.tool_cores]);
        let mut session = Session::start(command, boot.root.path(), self.tool_cores, driver.log.clone())
            .map_err(|error| failed(Fault::NotStarted { reason: error.to_string() }, String::new()))?;
        if !tool.tells_begin() {
            meter.read(Phase::Measure, session.pid());
        }
        let within = longest(question);
        let deadline = Instant::now() + within;
        let mut output = String::new();
        let (mut has_begun, mut has_ended) = (!tool.tells_begin(), false);
        loop {
            match session.step(Duration::from_millis(50)) {
                Step::Line(line) => {
                    // Several threads of a tool may say the same: the first counts.
                    match tool.phase(&line) {
                        Some(Phase::Measure) if !std::mem::replace(&mut has_begun, true) => {
                            meter.read(Phase::Measure, session.pid());
                        }
                        Some(Phase::Drain) if !std::mem::replace(&mut has_ended, true) => {
                            meter.read(Phase::Drain, session.pid());
                        }
                        _ => {}
                    }
                    output.push_str(&line);
                    output.push('\n');
                }
                Step::Closed if !has_ended => meter.read(Phase::Drain, session.pid()),
                Step::Quiet if boot.interrupted.load(Relaxed) => return Err(Failure::Interrupted.into()),
                Step::Ended(status) => {
                    // A dead server explains whatever the tool says of it.
                    if let Some(status) = driver.server.ended() {
                        return Err(driver.server.failed(Failure::ServerDied { status: status.to_string() }));
                    }
                    let fault = match status {
                        None => Fault::Hung { within_s: within.as_secs_f64() },
                        Some(status) if !status.success() => Fault::Crashed { status: status.to_string() },
                        Some(_) if output.trim().is_empty() => Fault::Silent,
                        Some(_) => return Ok((output, meter.used().unwrap_or_default())),
                    };
                    return Err(failed(fault, session.log_tail()));
                }
                Step::Quiet | Step::Closed => {}
            }
            // Also one that writes without end.
            if Instant::now() > deadline {
                return Err(failed(Fault::Hung { within_s: within.as_secs_f64() }, session.log_tail()));
            }
        }
    }
}

/// When a tool is taken to hang.
fn longest(question: &Question<'_>) -> Duration {
    let load_s = match question.load {
        Load::Xhr { requests: Some(requests), .. } => requests.get() as f64 / LEAST_PER_S,
        _ => question.seconds,
    };
    Duration::try_from_secs_f64(load_s).unwrap_or(Duration::MAX).saturating_add(BEYOND_LOAD)
}

/// A report as a measurement: what the tables, the places and the comparisons read. What the tool does not tell is empty.
fn counted(report: &ToolReport, latency: Distribution, warm: Measurement) -> Measurement {
    let asked = warm.connections.asked;
    Measurement {
        seconds: report.seconds,
        connections: Connections { asked, ..Connections::default() },
        sent: report.requests,
        messages: report.requests,
        errors: report.errors.clone(),
        latency,
        connect: Distribution::new(),
        wire: None,
        delivery: None,
        service: None,
        lateness: None,
        total: None,
        series: Vec::new(),
        windows: Vec::new(),
        ..warm
    }
}
