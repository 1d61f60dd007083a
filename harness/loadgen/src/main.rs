//! The `loadgen` command: drives one server with one load, and prints what it measured as JSON lines.
//!
//! It ends with 0 if there is a measurement, with 1 if there is none or not one connection was
//! established, and with 2 if it was asked for something it cannot do.

use std::env::args_os;
use std::io::{Write, stderr, stdout};
use std::process::{ExitCode, exit};

use clap::Parser;
use loadgen::{CHILD, Event, Load, Measurement, RunError, run, serve_parent};

fn main() -> ExitCode {
    if args_os().nth(1).is_some_and(|first| first == CHILD) {
        return match serve_parent() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&error.to_string());
                ExitCode::FAILURE
            }
        };
    }
    let load = Load::parse();
    let measurement = match run(&load, |event| print(&event)) {
        Ok(measurement) => measurement,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::from(if matches!(error, RunError::BadLoad(_)) { 2 } else { 1 });
        }
    };
    let unreachable = (measurement.connections.established == 0).then(|| causes(&measurement));
    print(&Event::Measurement(Box::new(measurement)));
    match unreachable {
        None => ExitCode::SUCCESS,
        Some(causes) => {
            complain(&format!("not one connection to {} was established: {causes}", load.target));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line at once. If nobody reads it, nobody wants the rest either.
fn print(event: &Event) {
    let written = serde_json::to_string(event).map_err(Into::into).and_then(|line| {
        let mut stdout = stdout().lock();
        writeln!(stdout, "{line}")?;
        stdout.flush()
    });
    if let Err(error) = written {
        complain(&format!("cannot write to standard output: {error}"));
        exit(1);
    }
}

fn causes(measurement: &Measurement) -> String {
    let failed = &measurement.connections.failed;
    failed.iter().map(|(cause, count)| format!("{cause} ({count})")).collect::<Vec<_>>().join(", ")
}

/// Says it to a person, if standard error is still open.
fn complain(message: &str) {
    let _ = writeln!(stderr(), "loadgen: {message}");
}
