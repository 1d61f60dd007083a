//! `harness run`.

use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::keep::keep_reports;
use super::lines::RunLine;
use super::output::{err, out};
use super::prepare::{begin, go_on};
use super::progress::Progress;
use super::report;
use super::session::Session;
use crate::cli::{Exit, RunOptions, Shared};
use crate::report::terminal;
use crate::results::{Header, Journal, Run, save};
use crate::rounds::{left, next_round};
use crate::trial::{Bench, take};

/// What is to be measured, and where it goes.
pub(super) struct Prepared {
    pub(super) header: Header,
    pub(super) journal: Journal,
}

/// Measures, and writes the results.
///
/// # Errors
/// What keeps a run from beginning, or its results from being written. Trials that fail are no error,
/// but an exit code.
pub fn run(shared: &Shared, options: &RunOptions) -> Result<Exit> {
    let mut session = Session::begin(shared, &options.place)?;
    let results = session.root.results(&options.results);
    let prepared = match &options.resume {
        None => begin(&mut session, options, &results)?,
        Some(name) => go_on(&session, &results, name)?,
    };
    let Some(mut prepared) = prepared else { return Ok(Exit::Interrupted) };
    let taken = measure(&session, &mut prepared, options);
    // Whatever ended the trials: those that were taken become results.
    let run = prepared.journal.to_run(Timestamp::now().to_string());
    let kept = || format!("the trials taken are in {}", prepared.journal.path().display());
    let published = publish(&run, &results, prepared.journal.path(), options.json).with_context(kept);
    let taken = taken.with_context(kept)?;
    published?;
    if !taken {
        err!("cut off; `harness run --resume {}` goes on", run.header.name);
    }
    Ok(match (taken, run.has_failures()) {
        (false, _) => Exit::Interrupted,
        (true, true) => Exit::Failed,
        (true, false) => Exit::Done,
    })
}

fn measure(session: &Session, prepared: &mut Prepared, options: &RunOptions) -> Result<bool> {
    let repeats = options.repeats;
    let Prepared { header, journal } = prepared;
    let profile = &header.profile;
    let logs = journal.path().parent().unwrap_or(Path::new(".")).to_owned();
    let mut bench = Bench {
        boot: session.boot(),
        tool_cores: &session.cores.tool,
        profile,
        seed: header.seed,
        open_files: session.open_files,
        tools: &header.tools,
        logs,
    };
    let mut progress = Progress::new(&left(header, journal.trials(), repeats), profile, options.json);
    loop {
        let slots = next_round(header, journal.trials(), repeats);
        if slots.is_empty() {
            return Ok(true);
        }
        progress.expect(&slots);
        if !take(&slots, &header.contenders, repeats, &mut bench, journal, &mut progress)? {
            return Ok(false);
        }
    }
}

fn publish(run: &Run, results: &Path, journal: &Path, json: bool) -> Result<()> {
    let name = &run.header.name;
    let file = results.join(format!("{name}.json"));
    save(&file, run)?;
    if let Some(logs) = journal.parent() {
        keep_reports(logs, &results.join(format!("{name}.artillery")))?;
    }
    if !json {
        out!("{}", terminal(run));
    }
    report::publish(&file, run, false)?;
    if json {
        let (is_complete, has_failures) = (run.is_complete(), run.has_failures());
        let line = RunLine::Results { file: file.display().to_string(), is_complete, has_failures };
        out!("{}", serde_json::to_string(&line)?);
    }
    Ok(())
}
