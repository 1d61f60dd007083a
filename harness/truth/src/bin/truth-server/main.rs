//! A server whose delays are known: `GET /`, `WS /ws/echo` and `GET /xhr` of the contract, each reply of the latter two held
//! back by a delay from a known distribution. Delays of one connection do not queue: each counts from when its message was read, and only the
//! order of replies is kept. When it is told to end (SIGTERM) it appends what it gave to a file.
//!
//! It is one event loop on one thread, so that waiting precisely takes nothing from another wait. It writes in blocking
//! calls, so a client has to read.

mod connection;
mod event_loop;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Parser;
use contract::Settings;
use signal_hook::consts::SIGTERM;
use truth::{Delay, Given};

use event_loop::EventLoop;

/// What it does on purpose.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    settings: Settings,

    /// What it calls itself.
    #[arg(long, default_value = "truth")]
    name: String,

    /// How long each reply is held back, in µs: constant:US, two-point:US:US:SHARE, uniform:US:US or exponential:US.
    #[arg(long, default_value = "constant:0")]
    delay: Delay,

    /// Seed of the delays.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How long everything stands still once a second, in ms; from half a second on.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=500))]
    stall_ms: u64,

    /// CPU time burnt for each message, in ns.
    #[arg(long, default_value_t = 0)]
    burn_ns: u64,

    /// File that one JSON line is appended to at the end: what was given.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

fn main() -> ExitCode {
    match serve(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("truth: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> io::Result<()> {
    connection::NAME.get_or_init(|| options.name.clone());
    let ended = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGTERM, Arc::clone(&ended))?;
    let listener = launch::listen(&options.settings)?;
    // Whoever asked for port 0 has to know.
    println!("{}", listener.local_addr()?);
    let burn = Duration::from_nanos(options.burn_ns);
    let stall = Duration::from_millis(options.stall_ms);
    let given = EventLoop::new(listener, (options.delay, options.seed), stall, burn)?.run(&ended)?;
    options.record.as_ref().map_or(Ok(()), |file| append(file, &given))
}

fn append(file: &PathBuf, given: &Given) -> io::Result<()> {
    let failed = |error: io::Error| {
        io::Error::new(error.kind(), format!("failed to append to {}: {error}", file.display()))
    };
    let line = serde_json::to_string(given)?;
    let mut file = OpenOptions::new().create(true).append(true).open(file).map_err(failed)?;
    writeln!(file, "{line}").map_err(failed)
}
