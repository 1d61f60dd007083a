use std::collections::BTreeSet;

use crate::contender::Deviation;
use crate::plan::Until;
use crate::results::{Outcome, Run, States};
use crate::rounds::{Cell, Ending, ending};

/// What was measured where, line by line: the head of every report.
#[must_use]
pub fn head(run: &Run) -> Vec<String> {
    let header = &run.header;
    let machine = &header.environment;
    let profile = &header.profile;
    let mut lines = vec![
        format!(
            "{} – {} (UTC), {} trials: {} rounds of {} s each after {} s of warm-up, order from seed {}.",
            moment(&header.started_at),
            moment(&run.finished_at),
            run.trials.len(),
            profile.rounds,
            profile.seconds,
            warm_up(run),
            header.seed
        ),
        format!(
            "{}, {} cores, {:.0} GiB, {}{}{}; server on cores {}, load generator on cores {}; load average before: {:.2}.",
            machine.processor,
            machine.cores,
            machine.memory_bytes as f64 / 1_073_741_824.0,
            machine.kernel,
            machine.governor.as_ref().map_or(String::new(), |governor| format!(", governor {governor}")),
            machine.congestion_control.as_ref().map_or(String::new(), |control| format!(", TCP {control}")),
            header.server_cores,
            header.tool_cores,
            machine.load_before
        ),
        format!("{}{}.", versions(run), machine.rustc),
    ];
    let commit = machine.commit.as_deref().unwrap_or("unknown");
    let proof = if header.verified {
        "each contender had just proved the contract"
    } else {
        "**the contract was not checked**"
    };
    lines.push(format!("Commit {commit}; {proof}."));
    lines.extend(until(run));
    if !run.is_complete() {
        lines.push("**The run was cut off: not all trials were taken.**".to_owned());
    }
    if header.schema == 1 {
        lines.push(
            "Schema 1, without a digest: a change of the file since the run would not be noticed.".to_owned(),
        );
    }
    lines.push(states(run));
    for entry in header.contenders.iter().filter(|entry| !entry.is_control()) {
        for Deviation { check, because, source } in &entry.manifest.deviations {
            lines.push(format!("{} fails the check {check}: {because} ({source}).", entry.manifest.name));
        }
    }
    lines.extend(header.notes.iter().cloned());
    lines
}

/// How the rounds behind the profile's came to their end, if there were to be some.
fn until(run: &Run) -> Option<String> {
    let Until { percent, seconds } = run.header.profile.until?;
    let Ending { rounds, spent_s, open } = ending(run)?;
    let how = if open.is_empty() {
        "every rate and every server's CPU is known so well".to_owned()
    } else {
        let why = match (run.is_complete(), open.iter().any(Cell::is_open)) {
            (false, _) => "cut off".to_owned(),
            (true, true) => format!("the {seconds:.0} s for them were spent"),
            (true, false) => "what has no valid trials is not waited for".to_owned(),
        };
        let cells: Vec<String> = open.iter().map(ToString::to_string).collect();
        format!("{why}; not known so well: {}", cells.join("; "))
    };
    Some(format!("Rounds until ±{percent} %: {rounds} behind the profile's, {spent_s:.0} s; {how}."))
}

/// How many seconds the warm-ups lasted, from the shortest to the longest.
fn warm_up(run: &Run) -> String {
    let seconds = run.trials.iter().filter_map(|trial| match &trial.outcome {
        Outcome::Measured(measured) => Some(measured.measurement.warmup?.seconds),
        Outcome::Failed(_) => None,
    });
    let least = run.header.profile.warmup_s;
    let longest = seconds.fold(least, f64::max);
    if longest > least { format!("{least}–{longest:.1}") } else { least.to_string() }
}

/// The states of the machine, and how often a trial was taken again.
fn states(run: &Run) -> String {
    let states = States::of(&run.trials);
    let seen: Vec<String> = states
        .iter()
        .map(|state| {
            let time = state
                .ping_pong_ns
                .map_or("no ping-pong, since server and tool share a core".to_owned(), |ns| {
                    format!("a cache line takes {ns:.0} ns between the cores and back")
                });
            format!("{} trials ({time})", state.trials)
        })
        .collect();
    let shown = if seen.len() > 1 {
        "; figures are of the state with most trials, places of differences within a state and a round"
    } else {
        ""
    };
    format!(
        "States of the machine: {}{shown}; {} trials taken again because the state changed.",
        seen.join(", "),
        run.repeated()
    )
}

fn versions(run: &Run) -> String {
    let mut versions = BTreeSet::new();
    for entry in &run.header.contenders {
        if let Some(about) = &entry.about {
            versions.insert(format!("{}: {} {}", entry.manifest.name, about.framework, about.version));
        }
    }
    // Of a run whose contenders were not proved none is known.
    let end = if versions.is_empty() { "" } else { "; " };
    versions.into_iter().collect::<Vec<_>>().join(", ") + end
}

/// `2026-11-21T10:46:40.123Z` as `2026-11-21 10:46`.
pub(super) fn moment(timestamp: &str) -> String {
    timestamp.get(..16).unwrap_or(timestamp).replace('T', " ")
}
