use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use loadgen::{Connecting, Engine, Event, Load, Measurement, Timing, Workload};

use super::meter::{Meter, Used};
use super::{Bench, Failed, Failure};
use crate::contender::Server;
use crate::tool::{self, Session, Step};

/// One server under the load generator, as often as a trial asks for it.
pub(super) struct Driver<'a> {
    pub(super) bench: &'a Bench<'a>,
    pub(super) server: &'a mut Server,
    /// What the load generator complains of, the last time.
    pub(super) log: PathBuf,
    /// Has nobody been connected to the server yet?
    is_fresh: bool,
}

/// What driving a server gave.
pub(super) type Driven = (Measurement, Used);

impl<'a> Driver<'a> {
    /// For a server that has just been booted.
    pub(super) fn new(bench: &'a Bench<'a>, server: &'a mut Server, log: PathBuf) -> Self {
        Self { bench, server, log, is_fresh: true }
    }

    /// Drives the server once, from new connections to the last reply.
    ///
    /// # Errors
    /// Why there is no measurement.
    pub(super) fn drive(&mut self, workload: Workload, spin: bool, timing: Timing) -> Result<Driven, Failed> {
        let Bench { boot, tool_cores, .. } = self.bench;
        let load = Load {
            target: boot.address,
            timing,
            threads: NonZeroUsize::new(tool_cores.len()).unwrap_or(NonZeroUsize::MIN),
            engine: Engine::default(),
            spin,
            spin_us: 0,
            connecting: Connecting::default(),
            workload: self.with_pids(workload),
        };
        let time =
            load.prepare_s() + load.timing.warmup_s.max(load.timing.warmup_max_s) + load.timing.seconds;
        let command = tool::command(&boot.root.bin, &load);
        let mut meter = Meter::new(self.server.pid(), boot.address.port(), [boot.cores, tool_cores]);
        let mut session = Session::start(&command, boot.root.path(), tool_cores, self.log.clone())
            .map_err(|error| tool_failed(&format!("`{}`: {error}", command[0]), String::new()))?;
        // A climb has any number of steps, but each of them ends.
        let quiet = Duration::from_secs_f64(time) + 3 * tool::PATIENCE;
        let mut deadline = Instant::now() + quiet;
        let mut measurement = None;
        loop {
            match session.step(Duration::from_millis(50)) {
                Step::Line(line) => {
                    deadline = Instant::now() + quiet;
                    match serde_json::from_str(&line) {
                        Ok(Event::Phase(phase)) => meter.read(phase, session.pid()),
                        Ok(Event::Step(_)) => {}
                        Ok(Event::Measurement(taken)) => measurement = Some(*taken),
                        Err(error) => {
                            let start: String = line.chars().take(120).collect();
                            return Err(tool_failed(&format!("{error}, in {start:?}"), session.log_tail()));
                        }
                    }
                }
                Step::Quiet if boot.interrupted.load(Relaxed) => return Err(Failure::Interrupted.into()),
                Step::Quiet if Instant::now() > deadline => {
                    return Err(tool_failed("did not end in time and was killed", session.log_tail()));
                }
                Step::Quiet | Step::Closed => {}
                Step::Ended(status) => {
                    let was_fresh = std::mem::take(&mut self.is_fresh);
                    let taken = match (measurement, meter.used()) {
                        // What a climb found is found, even if the server died of it.
                        (Some(measurement), used) if measurement.capacity.is_some() => {
                            return Ok((measurement, used.unwrap_or_default()));
                        }
                        // What earlier connections left behind is no memory of these.
                        (Some(measurement), Some(used)) => {
                            Ok((measurement, Used { memory: used.memory.filter(|_| was_fresh), ..used }))
                        }
                        (Some(measurement), None) => Err(broken_off(&measurement)),
                        (None, _) => {
                            let how =
                                status.map_or("hung at its end".to_owned(), |status| status.to_string());
                            Err(format!("gave no measurement: {how}"))
                        }
                    };
                    // A dead server explains whatever the tool says of it.
                    if let Some(status) = self.server.ended() {
                        return Err(self.server.failed(Failure::ServerDied { status: status.to_string() }));
                    }
                    return taken.map_err(|reason| tool_failed(&reason, session.log_tail()));
                }
            }
        }
    }

    /// A climb is told whose memory to read.
    fn with_pids(&self, workload: Workload) -> Workload {
        match workload {
            Workload::Capacity(mut plan) => {
                plan.server_pids = self.server.serving().into_iter().map(i32::cast_unsigned).collect();
                Workload::Capacity(plan)
            }
            other => other,
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
