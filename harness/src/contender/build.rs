use std::fs::File;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::{Boot, Contender};
use crate::machine::{Child, CoreSet, log_tail};
use crate::trial::{Failed, Failure};

/// Runs a contender's build command, with its output in `log`.
///
/// # Errors
/// It cannot be started or ends in failure: with the end of the log.
pub fn build(contender: &Contender, boot: &Boot<'_>, log: &Path) -> Result<(), Failed> {
    run(&contender.build_command(boot.root), boot, log)
}

/// Builds the load generator as this program was built.
///
/// # Errors
/// As [`build`].
pub fn build_tool(boot: &Boot<'_>, log: &Path) -> Result<(), Failed> {
    let command = ["cargo", "build", "--locked", "-p", "loadgen", "--profile", boot.root.cargo_profile()];
    run(&command.map(String::from), boot, log)
}

fn run(command: &[String], boot: &Boot<'_>, log: &Path) -> Result<(), Failed> {
    if command.is_empty() {
        return Ok(());
    }
    let failed = |reason: String| {
        let failure = Failure::NotBuilt { command: command.join(" "), reason };
        Failed { failure, log_tail: log_tail(log) }
    };
    let output = File::create(log).map_err(|error| failed(format!("{}: {error}", log.display())))?;
    // Nothing is measured meanwhile: a build may have every core.
    let cores = CoreSet::allowed().map_err(|error| failed(error.to_string()))?;
    // Into the folder that `{bin}` names, whatever the user's cargo is set up to use: what is built must be what is measured.
    let target = boot.root.bin.parent().unwrap_or(&boot.root.bin);
    let environment =
        [("CARGO_TARGET_DIR", target.as_os_str()), ("CARGO_BUILD_TARGET_DIR", target.as_os_str())];
    let mut child = Child::spawn(command, boot.root.path(), &environment, &cores, output)
        .map_err(|error| failed(error.to_string()))?;
    loop {
        match child.wait_for(Duration::from_millis(200)) {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(failed(status.to_string())),
            None if boot.interrupted.load(Relaxed) => return Err(Failure::Interrupted.into()),
            None => {}
        }
    }
}
