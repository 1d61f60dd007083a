//! What a run decides and proves before its first trial.

use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result, bail};
use conformance::Outcome;
use jiff::Timestamp;

use super::output::err;
use super::run::Prepared;
use super::session::{SCRATCH, Session, scratch};
use super::verify::prove;
use crate::cli::RunOptions;
use crate::contender::{build, build_tool, find};
use crate::machine::{Environment, OTHER_FILES};
use crate::names::{slug, suggestion};
use crate::plan::{Asked, Load, Profile, Until};
use crate::results::{Entry, Header, Journal, SCHEMA};
use crate::tool::{Found, find_tools, sources};
use crate::trial::{Failed, Failure};

/// Prepares a new run. `None`: interrupted.
///
/// # Errors
/// What keeps it from beginning.
pub(super) fn begin(session: &mut Session, options: &RunOptions, results: &Path) -> Result<Option<Prepared>> {
    let profile = profile(session, options)?;
    let tools = tools(session, &profile);
    for note in &session.notes {
        err!("note: {note}");
    }
    let environment = Environment::read(session.root.path(), session.open_files);
    let (name, logs) = reserve_name(results, options, &environment, &profile)?;
    let contenders = contenders(session, &profile, options, &logs).inspect_err(|_| {
        // Where there is nothing in it yet, its name is free again.
        let _ = fs::remove_dir(&logs);
    })?;
    let Some(contenders) = contenders else { return Ok(None) };
    let header = Header {
        schema: SCHEMA,
        name,
        started_at: Timestamp::now().to_string(),
        seed: options.seed.unwrap_or_else(|| fastrand::u64(..1 << 32)),
        verified: !options.skip_verify,
        environment,
        server_cores: session.cores.server.to_string(),
        tool_cores: session.cores.tool.to_string(),
        tool_sources: sources(session.root.path()),
        notes: session.notes.clone(),
        tools,
        contenders,
        profile,
    };
    if header.slots().is_empty() && header.contenders.iter().all(|entry| entry.failed.is_none()) {
        bail!("none of the contenders serves any of the workloads: there is nothing to measure");
    }
    let journal = Journal::create(&logs.join("journal.jsonl"), &header)?;
    Ok(Some(Prepared { header, journal }))
}

/// Prepares to go on with a run that was cut off. `None`: interrupted.
///
/// # Errors
/// There is no such run, another process is at it, or it was begun under other circumstances.
pub(super) fn go_on(session: &Session, results: &Path, name: &str) -> Result<Option<Prepared>> {
    let logs = results.join(SCRATCH).join(name);
    let (journal, torn) = Journal::resume(&logs.join("journal.jsonl"))?;
    let header = journal.header().clone();
    if torn {
        err!("note: the last line of the journal was torn, and is dropped: its trial is taken again");
    }
    let environment = Environment::read(session.root.path(), session.open_files);
    for (what, before, now) in [
        ("on the processor", header.environment.processor.as_str(), environment.processor.as_str()),
        ("under the kernel", &header.environment.kernel, &environment.kernel),
        (
            "at the commit",
            header.environment.commit.as_deref().unwrap_or(""),
            environment.commit.as_deref().unwrap_or(""),
        ),
        ("with the server on cores", &header.server_cores, &session.cores.server.to_string()),
        ("with the load generator on cores", &header.tool_cores, &session.cores.tool.to_string()),
    ] {
        if before != now {
            bail!(
                "{name} was begun {what} {before}, and this is {now}: its trials would not compare; begin a new run"
            );
        }
    }
    for entry in header.contenders.iter().filter(|entry| entry.failed.is_none() && !entry.is_control()) {
        let boot = session.boot();
        err!("building {}", entry.name);
        match build(&entry.manifest, &boot, &logs.join(format!("{}.build.log", entry.name))) {
            Ok(()) => {}
            Err(Failed { failure: Failure::Interrupted, .. }) => return Ok(None),
            Err(failed) => bail!("{} {}\n{}", entry.name, failed.failure, failed.log_tail),
        }
    }
    Ok(Some(Prepared { header, journal }))
}

/// The profile with the command line's changes, less the loads that this machine's limits do not allow.
///
/// # Errors
/// There is no such profile or workload, or nothing is left.
fn profile(session: &mut Session, options: &RunOptions) -> Result<Profile> {
    let mut profile = match &options.profile_file {
        Some(file) => Profile::read(file)?,
        None => Profile::named(&session.root.profiles(), &options.profile)?,
    };
    if let Some(rounds) = options.rounds.and_then(NonZeroU32::new) {
        profile.rounds = rounds;
    }
    if let Some(percent) = options.until {
        let until = Until { percent, seconds: options.until_s.unwrap_or_else(Until::default_seconds) };
        until.check().map_err(Error::msg)?;
        profile.until = Some(until);
    }
    if !options.contenders.is_empty() {
        profile.contenders.clone_from(&options.contenders);
        // Who is asked for is asked everything.
        profile.loads.iter_mut().for_each(|asked| asked.contenders.clear());
    }
    if let Some(control) = &options.control {
        profile.control = Some(control.clone());
    }
    profile.control = profile.control.filter(|name| name != "none");
    // A control whose contender was left out on the command line is left out with it.
    let left_out = |control: &String| !options.contenders.is_empty() && !options.contenders.contains(control);
    if options.control.is_none() {
        profile.control = profile.control.filter(|control| !left_out(control));
    }
    for asked in profile.loads.iter().filter(|asked| !asked.contenders.is_empty()) {
        find(session.root.servers(), &asked.contenders).with_context(|| format!("load {asked}"))?;
    }
    for wanted in &options.workloads {
        if !Load::WORKLOADS.contains(&wanted.as_str()) {
            bail!("no workload {wanted}: {}", suggestion(wanted, Load::WORKLOADS));
        }
    }
    if !options.workloads.is_empty() {
        profile.loads.retain(|load| options.workloads.iter().any(|wanted| wanted == load.workload()));
    }
    session.notes.extend(profile.cannot.iter().map(|answer| format!("left out: {answer}")));
    if let Some(limit) = session.open_files {
        let fits = |load: &Asked| (load.connections() as u64).saturating_add(OTHER_FILES) <= limit;
        for load in profile.loads.iter().filter(|load| !fits(load)) {
            session.notes.push(format!(
                "left out: {load}: it needs {} open files in a process, and the hard limit is {limit}; raise it with \
                 `ulimit -Hn` as root, or in /etc/security/limits.conf",
                (load.connections() as u64).saturating_add(OTHER_FILES)
            ));
        }
        profile.loads.retain(fits);
    }
    if profile.loads.is_empty() {
        let mut why = session.notes.clone();
        if !options.workloads.is_empty() {
            why.push(format!("it has none of the workloads asked for, {}", options.workloads.join(", ")));
        }
        bail!("profile {} has no load left to measure: {}", profile.name, why.join("; "));
    }
    Ok(profile)
}

/// The load generators of others that the profile names. What one that is not there would have measured is left out.
fn tools(session: &mut Session, profile: &Profile) -> Vec<Found> {
    let mut tools = find_tools(session.root.path());
    tools.retain(|found| profile.loads.iter().any(|load| load.tool() == found.tool));
    for Found { tool, fault, .. } in &tools {
        if let Some(fault) = fault {
            session.notes.push(format!("left out: what {tool} would have measured: it {fault}"));
        }
    }
    tools
}

/// A name that no results file in the folder has, `<date>-<machine>-<profile>`, numbered if need be; and its
/// scratch folder, made now so that no other run takes the name.
fn reserve_name(
    results: &Path,
    options: &RunOptions,
    environment: &Environment,
    profile: &Profile,
) -> Result<(String, PathBuf)> {
    let date = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let machine = options.machine.clone().unwrap_or_else(|| environment.short_name());
    let base = format!("{date}-{}-{}", slug(&machine), slug(&profile.name));
    let scratch = scratch(results)?;
    for number in 1_u32.. {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let logs = scratch.join(&name);
        match fs::create_dir(&logs) {
            Ok(()) if !results.join(format!("{name}.json")).exists() => return Ok((name, logs)),
            Ok(()) => {
                // An earlier run's results, whose scratch folder is gone: leave both as they were.
                let _ = fs::remove_dir(&logs);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error).with_context(|| format!("failed to make the folder {}", logs.display()));
            }
        }
    }
    bail!("all names from {base} on are taken in {}", results.display())
}

/// Builds the contenders and the load generator, and proves the contract of each contender. One that does
/// not build or breaks the contract is entered with its failure; the others go on. `None`: interrupted.
///
/// # Errors
/// A name is unknown, a manifest malformed, or the load generator does not build.
fn contenders(
    session: &Session,
    profile: &Profile,
    options: &RunOptions,
    logs: &Path,
) -> Result<Option<Vec<Entry>>> {
    let found = find(session.root.servers(), &profile.contenders)?;
    if let Some(control) = &profile.control
        && found.iter().all(|contender| contender.name != *control)
    {
        let known = suggestion(control, found.iter().map(|contender| contender.name.as_str()));
        bail!("no contender {control} to be the control: {known}");
    }
    let boot = session.boot();
    err!("building the load generator");
    if let Err(failed) = build_tool(&boot, &logs.join("loadgen.build.log")) {
        if failed.failure == Failure::Interrupted {
            return Ok(None);
        }
        bail!("the load generator {}\n{}", failed.failure, failed.log_tail);
    }
    let mut entries = Vec::new();
    for manifest in found {
        let done = if options.skip_verify {
            err!("building {}", manifest.name);
            build(&manifest, &boot, &logs.join(format!("{}.build.log", manifest.name))).map(|()| None)
        } else {
            err!("building and proving {}", manifest.name);
            let complain = |check: &conformance::Check, outcome: &Outcome| {
                let deviates = manifest.deviations.iter().any(|deviation| deviation.check == check.name);
                if let Outcome::Failed(failure) = outcome
                    && !deviates
                {
                    err!("  {}: {failure}", check.name);
                }
            };
            prove(&manifest, &boot, logs, |_| true, complain).map(Some)
        };
        let (about, failed) = match done {
            Ok(about) => (about, None),
            Err(Failed { failure: Failure::Interrupted, .. }) => return Ok(None),
            Err(failed) => {
                err!("  {} {}", manifest.name, failed.failure);
                (None, Some(failed))
            }
        };
        entries.push(Entry { name: manifest.name.clone(), manifest, about, failed });
    }
    let original = profile.control.as_ref().and_then(|name| entries.iter().find(|entry| entry.name == *name));
    entries
        .extend(original.map(|entry| Entry { name: format!("{} (control)", entry.name), ..entry.clone() }));
    Ok(Some(entries))
}
