//! Verifies a running server: `cargo run -p conformance --example verify -- 127.0.0.1:9001 [part of a name]`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use conformance::{Outcome, Target, verify};
use contract::Limits;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(Ok(address)) = arguments.next().map(|address| address.parse::<SocketAddr>()) else {
        eprintln!("usage: verify ADDRESS:PORT [PART_OF_A_NAME]");
        return ExitCode::from(2);
    };
    let part = arguments.next().unwrap_or_default();
    let target = Target::new(address, Limits::default());
    let mut since = Instant::now();
    let report = verify(
        &target,
        |check| check.name.contains(&part),
        |check, outcome| {
            let elapsed = since.elapsed();
            match outcome {
                Outcome::Passed => println!("pass {:>6} ms  {}", elapsed.as_millis(), check.name),
                Outcome::Failed(failure) => {
                    println!("FAIL {:>6} ms  {} ({})", elapsed.as_millis(), check.name, check.standard);
                    println!("                {failure}");
                }
            }
            since = Instant::now();
        },
    );
    let (ran, failed) = (report.results.len(), report.failures().count());
    println!("{} of {ran} checks passed", ran - failed);
    if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
