use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use loadgen::{Event, Measurement};

use super::meter::{Meter, Used};
use super::{Doubt, Failed, Failure, disturbances, doubts};
use crate::contender::{Boot, Contender, Server};
use crate::machine::{CoreSet, Probe};
use crate::plan::{Load, Profile};
use crate::results::Measured;
use crate::tool::{self, Session, Step};

/// Takes one trial: what a run needs of the machine. A fake of it tests the rest without time or processes.
pub trait Measure {
    /// Measures `contender` under `load`; `label` names the trial in file names.
    ///
    /// # Errors
    /// Why there is no measurement.
    fn measure(&mut self, contender: &Contender, load: &Load, label: &str) -> Result<Measured, Failed>;
}

/// Measures on this machine: a fresh server process for each trial, driven by the load generator.
#[derive(Debug)]
pub struct Bench<'a> {
    /// How servers are booted.
    pub boot: Boot<'a>,
    /// The load generator's cores.
    pub tool_cores: &'a CoreSet,
    /// When a trial counts.
    pub profile: &'a Profile,
    /// Folder for the processes' output.
    pub logs: PathBuf,
}

impl Measure for Bench<'_> {
    fn measure(&mut self, contender: &Contender, load: &Load, label: &str) -> Result<Measured, Failed> {
        if self.boot.interrupted.load(Relaxed) {
            return Err(Failure::Interrupted.into());
        }
        let before = self.probe();
        let mut server = Server::boot(contender, &self.boot, self.logs.join(format!("{label}.server.log")))?;
        let (measurement, used) = self.drive(&mut server, load, label)?;
        let Used { server: spent, tool, cores, memory } = used;
        let mut doubts = doubts(load, &measurement, self.tool_cores.len());
        // What was measured before stays measured.
        if let Err(Failure::DidNotStop { within_s }) = server.stop() {
            doubts.push(Doubt::StoppedLate { within_s });
        }
        let probes = [before, self.probe()];
        let all_cores = self.boot.cores.len() + self.tool_cores.len();
        doubts.extend(disturbances(probes, cores.as_ref(), &spent, &measurement, all_cores));
        Ok(Measured { measurement, server: spent, tool, memory, probes, cores, doubts })
    }
}

impl Bench<'_> {
    fn probe(&self) -> Probe {
        Probe::take(self.boot.cores, self.tool_cores)
    }

    fn drive(&self, server: &mut Server, load: &Load, label: &str) -> Result<(Measurement, Used), Failed> {
        let command =
            tool::command(&self.boot.root.bin, load, self.profile, self.boot.address, self.tool_cores);
        let log = self.logs.join(format!("{label}.tool.log"));
        let mut meter =
            Meter::new(server.pid(), self.boot.address.port(), [self.boot.cores, self.tool_cores]);
        let mut session = Session::start(&command, self.boot.root.path(), self.tool_cores, log)
            .map_err(|error| tool_failed(&format!("`{}`: {error}", command[0]), String::new()))?;
        let time = self.profile.longest_warmup_s() + self.profile.seconds;
        let deadline = Instant::now() + Duration::from_secs_f64(time) + 3 * tool::PATIENCE;
        let mut measurement = None;
        loop {
            match session.step(Duration::from_millis(50)) {
                Step::Line(line) => match serde_json::from_str(&line) {
                    Ok(Event::Phase(phase)) => meter.read(phase, session.pid()),
                    Ok(Event::Measurement(taken)) => measurement = Some(*taken),
                    Err(error) => {
                        let start: String = line.chars().take(120).collect();
                        return Err(tool_failed(&format!("{error}, in {start:?}"), session.log_tail()));
                    }
                },
                Step::Quiet if self.boot.interrupted.load(Relaxed) => return Err(Failure::Interrupted.into()),
                Step::Quiet if Instant::now() > deadline => {
                    return Err(tool_failed("did not end in time and was killed", session.log_tail()));
                }
                Step::Quiet => {}
                Step::Ended(status) => {
                    // A dead server explains whatever the tool says of it.
                    if let Some(status) = server.ended() {
                        return Err(server.failed(Failure::Died { status: status.to_string() }));
                    }
                    return match (measurement, meter.used()) {
                        (Some(measurement), Some(used)) => Ok((measurement, used)),
                        (Some(measurement), None) => {
                            Err(tool_failed(&broken_off(&measurement), session.log_tail()))
                        }
                        (None, _) => {
                            let how =
                                status.map_or("hung at its end".to_owned(), |status| status.to_string());
                            Err(tool_failed(&format!("gave no measurement: {how}"), session.log_tail()))
                        }
                    };
                }
            }
        }
    }
}

/// Why a load ended before its measured time did.
fn broken_off(measurement: &Measurement) -> String {
    let connections = &measurement.connections;
    let causes: Vec<String> = connections
        .failed
        .iter()
        .chain(&measurement.errors)
        .map(|(cause, count)| format!("{cause} ({count})"))
        .collect();
    format!(
        "the load broke off: {} of {} connections opened, {} lost: {}",
        connections.established,
        connections.asked,
        connections.lost,
        causes.join(", ")
    )
}

fn tool_failed(reason: &str, log_tail: String) -> Failed {
    let failure = Failure::Tool { tool: tool::NAME.to_owned(), reason: reason.to_owned() };
    Failed { failure, log_tail }
}
