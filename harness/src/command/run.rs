//! `harness run`.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;

use super::output::out;
use super::prepare::{contenders, profile, unused_name};
use super::progress::Progress;
use super::session::{Session, scratch};
use crate::cli::{Exit, RunOptions, Shared};
use crate::contender::Contender;
use crate::machine::Environment;
use crate::plan::{Slot, schedule};
use crate::report::{markdown, terminal};
use crate::results::{Header, Journal, Run, SCHEMA, write};
use crate::trial::{Bench, take};

/// Booting, proving and stopping add about this to a trial.
const OVERHEAD: Duration = Duration::from_millis(400);

/// Measures, and writes the results.
///
/// # Errors
/// What keeps a run from beginning, or its results from being written. Trials that fail are no error,
/// but an exit code.
pub fn run(shared: &Shared, options: &RunOptions) -> Result<Exit> {
    let mut session = Session::begin(shared, &options.place)?;
    let profile = profile(&mut session, options)?;
    for note in &session.notes {
        eprintln!("note: {note}");
    }
    let environment = Environment::read(session.root.path(), session.open_files);
    let results = session.root.results(&options.results);
    let name = unused_name(&results, options, &environment, &profile);
    let logs = scratch(&results, &name)?;
    let Some(entries) = contenders(&session, &profile, options, &logs)? else { return Ok(Exit::Interrupted) };
    let header = Header {
        schema: SCHEMA,
        name,
        started_at: Timestamp::now().to_string(),
        seed: options.seed.unwrap_or_else(|| fastrand::u64(..1 << 32)),
        verified: !options.skip_verify,
        environment,
        server_cores: session.cores.server.to_string(),
        tool_cores: session.cores.tool.to_string(),
        notes: session.notes.clone(),
        contenders: entries,
        profile,
    };
    let mut journal = Journal::create(&logs.join("journal.jsonl"), &header)?;
    let taken = measure(&session, &header, &mut journal, &logs);
    // Whatever ended the trials: those that were taken become results.
    let run = journal.to_run(Timestamp::now().to_string())?;
    publish(&run, &results)?;
    Ok(match (taken?, run.has_failures()) {
        (false, _) => Exit::Interrupted,
        (true, true) => Exit::Failed,
        (true, false) => Exit::Done,
    })
}

fn measure(session: &Session, header: &Header, journal: &mut Journal, logs: &Path) -> Result<bool> {
    let profile = &header.profile;
    let able: Vec<Contender> = header
        .contenders
        .iter()
        .filter(|entry| entry.failed.is_none())
        .map(|entry| entry.manifest.clone())
        .collect();
    let names: Vec<String> = able.iter().map(|contender| contender.name.clone()).collect();
    let mut slots = schedule(&names, &profile.loads, profile.rounds.get(), header.seed);
    slots.retain(|slot: &Slot| {
        able.iter()
            .any(|contender| contender.name == slot.contender && contender.serves(slot.load.workload()))
    });
    let mut bench =
        Bench { boot: session.boot(), tool_cores: &session.cores.tool, profile, logs: logs.to_owned() };
    let expected = Duration::from_secs_f64(profile.warmup_s + profile.seconds) + OVERHEAD;
    let mut progress = Progress::new(slots.len(), profile.rounds.get(), expected);
    take(&slots, &able, &mut bench, journal, &mut progress)
}

fn publish(run: &Run, results: &Path) -> Result<()> {
    let name = &run.header.name;
    let page = results.join(format!("{name}.md"));
    write(&results.join(format!("{name}.json")), &format!("{}\n", serde_json::to_string_pretty(run)?))?;
    write(&page, &markdown(run))?;
    out!("{}\n{}", terminal(run), page.display());
    Ok(())
}
