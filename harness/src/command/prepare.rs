//! What a run decides and proves before its first trial.

use std::path::Path;

use anyhow::{Result, bail};
use conformance::Outcome;
use jiff::Timestamp;

use super::session::{SCRATCH, Session};
use super::verify::prove;
use crate::cli::RunOptions;
use crate::contender::{build, build_tool, find};
use crate::machine::Environment;
use crate::names::{slug, suggestion};
use crate::plan::{Load, Profile};
use crate::results::Entry;
use crate::trial::{Failed, Failure};

/// Open files that a process needs besides its connections: listener, pipes, epoll, libraries.
const OTHER_FILES: u64 = 64;

/// The profile with the command line's changes, less the loads that this machine's limits do not allow.
///
/// # Errors
/// There is no such profile or workload, or nothing is left.
pub(super) fn profile(session: &mut Session, options: &RunOptions) -> Result<Profile> {
    let mut profile = match &options.profile_file {
        Some(file) => Profile::read(file)?,
        None => Profile::named(&session.root.profiles(), &options.profile)?,
    };
    if let Some(rounds) = options.rounds {
        profile.rounds = rounds;
    }
    if !options.contenders.is_empty() {
        profile.contenders.clone_from(&options.contenders);
    }
    for wanted in &options.workloads {
        if !Load::WORKLOADS.contains(&wanted.as_str()) {
            bail!("no workload {wanted}: {}", suggestion(wanted, Load::WORKLOADS));
        }
    }
    if !options.workloads.is_empty() {
        profile.loads.retain(|load| options.workloads.iter().any(|wanted| wanted == load.workload()));
    }
    if let Some(limit) = session.open_files {
        let fits = |load: &Load| load.connections() as u64 + OTHER_FILES <= limit;
        for load in profile.loads.iter().filter(|load| !fits(load)) {
            session.notes.push(format!(
                "left out: {load}: it needs {} open files in a process, and the hard limit is {limit}; raise it with \
                 `ulimit -Hn` as root, or in /etc/security/limits.conf",
                load.connections() as u64 + OTHER_FILES
            ));
        }
        profile.loads.retain(fits);
    }
    if profile.loads.is_empty() {
        bail!("profile {} has no load left to measure: {}", profile.name, session.notes.join("; "));
    }
    Ok(profile)
}

/// A name that no results file in the folder has: `<date>-<machine>-<profile>`, numbered if need be.
#[must_use]
pub(super) fn unused_name(
    results: &Path,
    options: &RunOptions,
    environment: &Environment,
    profile: &Profile,
) -> String {
    let date = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let machine = options.machine.clone().unwrap_or_else(|| environment.short_name());
    let base = format!("{date}-{}-{}", slug(&machine), slug(&profile.name));
    let used = |name: &String| {
        results.join(format!("{name}.json")).exists()
            || results.join(SCRATCH).join(name).join("journal.jsonl").exists()
    };
    std::iter::once(base.clone())
        .chain((2..).map(|number| format!("{base}-{number}")))
        .find(|name| !used(name))
        .unwrap_or(base)
}

/// Builds the contenders and the load generator, and proves the contract of each contender. One that does
/// not build or breaks the contract is entered with its failure; the others go on. `None`: interrupted.
///
/// # Errors
/// A name is unknown, a manifest malformed, or the load generator does not build.
pub(super) fn contenders(
    session: &Session,
    profile: &Profile,
    options: &RunOptions,
    logs: &Path,
) -> Result<Option<Vec<Entry>>> {
    let found = find(session.root.servers(), &profile.contenders)?;
    let boot = session.boot();
    eprintln!("building the load generator");
    if let Err(failed) = build_tool(&boot, &logs.join("loadgen.build.log")) {
        bail!("the load generator {}\n{}", failed.failure, failed.log_tail);
    }
    let mut entries = Vec::new();
    for manifest in found {
        let done = if options.skip_verify {
            eprintln!("building {}", manifest.name);
            build(&manifest, &boot, &logs.join(format!("{}.build.log", manifest.name))).map(|()| None)
        } else {
            eprintln!("building and proving {}", manifest.name);
            let complain = |check: &conformance::Check, outcome: &Outcome| {
                let deviates = manifest.deviations.iter().any(|deviation| deviation.check == check.name);
                if let Outcome::Failed(failure) = outcome
                    && !deviates
                {
                    eprintln!("  {}: {failure}", check.name);
                }
            };
            prove(&manifest, &boot, logs, |_| true, complain).map(Some)
        };
        let (about, failed) = match done {
            Ok(about) => (about, None),
            Err(Failed { failure: Failure::Interrupted, .. }) => return Ok(None),
            Err(failed) => {
                eprintln!("  {} {}", manifest.name, failed.failure);
                (None, Some(failed))
            }
        };
        entries.push(Entry { manifest, about, failed });
    }
    Ok(Some(entries))
}
