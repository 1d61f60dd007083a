use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use loadgen::{Event, Measurement, Phase};

use super::{Failed, Failure, doubt::Doubt, doubts};
use crate::contender::{Boot, Contender, Server};
use crate::machine::{CoreSet, Spent, Usage};
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
        let mut server = Server::boot(contender, &self.boot, self.logs.join(format!("{label}.server.log")))?;
        let (measurement, server_spent, tool_spent) = self.drive(&mut server, load, label)?;
        let mut doubts = doubts(load, &measurement, &tool_spent, self.tool_cores.len());
        // What was measured before stays measured.
        if let Err(Failure::DidNotStop { within_s }) = server.stop() {
            doubts.push(Doubt::StoppedLate { within_s });
        }
        Ok(Measured { measurement, server: server_spent, tool: tool_spent, doubts })
    }
}

impl Bench<'_> {
    fn drive(
        &self,
        server: &mut Server,
        load: &Load,
        label: &str,
    ) -> Result<(Measurement, Spent, Spent), Failed> {
        let command =
            tool::command(&self.boot.root.bin, load, self.profile, self.boot.address, self.tool_cores);
        let log = self.logs.join(format!("{label}.tool.log"));
        let mut session = Session::start(&command, self.boot.root.path(), self.tool_cores, log)
            .map_err(|error| tool_failed(&format!("`{}`: {error}", command[0]), String::new()))?;
        let server_pid = server.pid();
        let read = |session: &Session| Some((Usage::of(server_pid)?, Usage::of(session.pid())?));
        let time = self.profile.warmup_s + self.profile.seconds;
        let deadline = Instant::now() + Duration::from_secs_f64(time) + 3 * tool::PATIENCE;
        let (mut before, mut after, mut measurement) = (None, None, None);
        loop {
            match session.step(Duration::from_millis(50)) {
                Step::Line(line) => match serde_json::from_str(&line) {
                    Ok(Event::Phase(Phase::Measure)) => before = read(&session),
                    Ok(Event::Phase(Phase::Drain)) => after = read(&session),
                    Ok(Event::Phase(Phase::Connect | Phase::Warmup)) => {}
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
                    let (Some(measurement), Some(before), Some(after)) = (measurement, before, after) else {
                        let how = status.map_or("hung at its end".to_owned(), |status| status.to_string());
                        return Err(tool_failed(&format!("gave no measurement: {how}"), session.log_tail()));
                    };
                    return Ok((measurement, after.0.since(&before.0), after.1.since(&before.1)));
                }
            }
        }
    }
}

fn tool_failed(reason: &str, log_tail: String) -> Failed {
    let failure = Failure::Tool { tool: tool::NAME.to_owned(), reason: reason.to_owned() };
    Failed { failure, log_tail }
}
