//! `harness instructions`.

use std::num::NonZeroU64;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use loadgen::{Event, Measurement};
use serde::Serialize;

use super::output::{err, out};
use super::session::{Session, scratch};
use crate::cli::{Exit, InstructionsOptions, Shared};
use crate::contender::{Boot, Contender, Server, build, build_tool, find};
use crate::machine::{CoreSet, instructions as counted, under_callgrind, valgrind_version};
use crate::report::number;
use crate::tool;
use crate::trial::Failed;

/// How much longer than natively a server may take under callgrind to be ready and to stop.
const SLOWNESS: u32 = 30;
/// What a run may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// Above this spread, in percent, the figure is no gauge.
const STEADY_PERCENT: f64 = 0.3;
const WHAT_IT_IS: &str =
    "A gauge for regressions, never a measure of speed: it knows neither the kernel nor caches nor time.";

/// What was counted, and how.
#[derive(Debug, Serialize)]
struct Counts {
    what_it_is: &'static str,
    valgrind: String,
    cargo_profile: String,
    connections: u64,
    payload_bytes: usize,
    messages: u64,
    contenders: Vec<Count>,
}

/// Instructions in user space a message.
#[derive(Debug, Serialize)]
struct Count {
    contender: String,
    /// Mean over the repeats.
    per_message: f64,
    /// (largest − smallest) ÷ mean of the repeats, in percent.
    spread_percent: f64,
    repeats: Vec<f64>,
}

/// Counts, for each contender, the instructions that a message of an echo takes in user space.
///
/// # Errors
/// Valgrind is missing, a name unknown, or a manifest malformed. A contender that fails is no error, but an exit code.
pub fn instructions(shared: &Shared, options: &InstructionsOptions) -> Result<Exit> {
    let valgrind = valgrind_version()?;
    let session = Session::begin(shared, &options.place)?;
    let contenders = find(session.root.servers(), &options.contenders)?;
    let contenders = contenders.into_iter().filter(|contender| contender.serves("echo"));
    // One worker: with several, which of them is woken is chance.
    let core = session.cores.server.first();
    let boot = Boot { cores: &core, slowness: SLOWNESS, ..session.boot() };
    let logs = scratch(&session.root.results("results".as_ref()))?;
    build_tool(&boot, &logs.join("loadgen.build.log")).map_err(said)?;
    let gauge = Gauge { boot, tool_cores: &session.cores.tool, logs: &logs, options };
    let (mut counts, mut exit) = (Vec::new(), Exit::Done);
    for contender in contenders {
        err!("{}", contender.name);
        match gauge.count(&contender) {
            Ok(count) => counts.push(count),
            Err(_) if session.boot().interrupted.load(Relaxed) => return Ok(Exit::Interrupted),
            Err(error) => {
                exit = Exit::Failed;
                err!("{}: {error:#}", contender.name);
            }
        }
    }
    let counts = Counts {
        what_it_is: WHAT_IT_IS,
        valgrind,
        cargo_profile: session.root.cargo_profile().to_owned(),
        connections: options.connections.get(),
        payload_bytes: options.payload_bytes,
        messages: options.connections.get() * options.messages.get(),
        contenders: counts,
    };
    if options.json {
        out!("{}", serde_json::to_string_pretty(&counts)?);
    } else {
        show(&counts);
    }
    Ok(exit)
}

fn show(counts: &Counts) {
    let Counts { valgrind, cargo_profile, connections, payload_bytes, messages, .. } = counts;
    out!(
        "Instructions in user space, by callgrind ({valgrind}): echo, {connections} × {payload_bytes} B, {messages} messages, \
         cargo profile {cargo_profile}.\n{WHAT_IT_IS}\n"
    );
    out!("{:<20} {:>20} {:>16}", "contender", "per message", "spread (%)");
    for Count { contender, per_message, spread_percent, .. } in &counts.contenders {
        let unsteady = if *spread_percent > STEADY_PERCENT { "  unsteady: more --messages" } else { "" };
        out!("{contender:<20} {:>20} {spread_percent:>16.3}{unsteady}", number(*per_message));
    }
}

/// How instructions are counted.
struct Gauge<'a> {
    boot: Boot<'a>,
    tool_cores: &'a CoreSet,
    logs: &'a Path,
    options: &'a InstructionsOptions,
}

impl Gauge<'_> {
    /// What a message more costs: the difference of two runs, so that boot, connecting and stopping drop out.
    fn count(&self, contender: &Contender) -> Result<Count> {
        build(contender, &self.boot, &self.logs.join(format!("{}.build.log", contender.name)))
            .map_err(said)?;
        let once = self.options.messages;
        let twice = once.checked_mul(NonZeroU64::MIN.saturating_add(1)).context("--messages is too large")?;
        let repeat = |_| {
            let less = self.run(contender, once)?;
            let more = self.run(contender, twice)?;
            let messages = once.get() * self.options.connections.get();
            Ok((more as f64 - less as f64) / messages as f64)
        };
        let repeats = (0..self.options.repeats).map(repeat).collect::<Result<Vec<f64>>>()?;
        let per_message = repeats.iter().sum::<f64>() / repeats.len() as f64;
        let least = repeats.iter().copied().fold(f64::INFINITY, f64::min);
        let most = repeats.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let spread_percent = (most - least) / per_message * 100.0;
        Ok(Count { contender: contender.name.clone(), per_message, spread_percent, repeats })
    }

    /// Instructions of the server's whole life, with so many messages on each connection.
    fn run(&self, contender: &Contender, messages: NonZeroU64) -> Result<u64> {
        let file = self.logs.join(format!("{}.callgrind", contender.name));
        let command = under_callgrind(&contender.run, &file);
        let wrapped = Contender { run: command, ..contender.clone() };
        let log = self.logs.join(format!("{}.callgrind.log", contender.name));
        let server = Server::boot(&wrapped, &self.boot, log).map_err(said)?;
        self.drive(messages)?;
        server.stop()?;
        counted(&file)
    }

    fn drive(&self, messages: NonZeroU64) -> Result<()> {
        let InstructionsOptions { connections, payload_bytes, .. } = self.options;
        let all = messages.get() * connections.get();
        let program = self.boot.root.bin.join(tool::NAME).to_string_lossy().into_owned();
        let mut command = vec![program, "echo".to_owned()];
        for (flag, value) in [
            ("--target", self.boot.address.to_string()),
            ("--warmup-s", "0".to_owned()),
            ("--seconds", PATIENCE.as_secs().to_string()),
            ("--connections", connections.to_string()),
            ("--messages", messages.to_string()),
            ("--payload-bytes", payload_bytes.to_string()),
        ] {
            command.extend([flag.to_owned(), value]);
        }
        let log = self.logs.join("instructions.tool.log");
        let mut session = tool::Session::start(&command, self.boot.root.path(), self.tool_cores, log)?;
        let deadline = Instant::now() + PATIENCE;
        let mut measurement: Option<Measurement> = None;
        loop {
            match session.step(Duration::from_millis(50)) {
                tool::Step::Line(line) => {
                    if let Ok(Event::Measurement(taken)) = serde_json::from_str(&line) {
                        measurement = Some(*taken);
                    }
                }
                tool::Step::Quiet if self.boot.interrupted.load(Relaxed) => bail!("interrupted"),
                tool::Step::Quiet if Instant::now() > deadline => bail!("{} did not end in time", tool::NAME),
                tool::Step::Quiet | tool::Step::Closed => {}
                tool::Step::Ended(_) => break,
            }
        }
        let measurement = measurement
            .with_context(|| format!("{} gave no measurement: {}", tool::NAME, session.log_tail()))?;
        if measurement.messages != all || !measurement.errors.is_empty() {
            bail!("{} of {all} messages came back; errors: {:?}", measurement.messages, measurement.errors);
        }
        Ok(())
    }
}

/// A failure and the end of the log that explains it, in one.
fn said(failed: Failed) -> anyhow::Error {
    let Failed { failure, log_tail } = failed;
    if log_tail.is_empty() { failure.into() } else { anyhow::anyhow!("{failure}; its log:\n{log_tail}") }
}
