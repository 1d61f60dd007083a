//! Load generators side by side: what each says of one load on one contender.

use std::collections::BTreeSet;

use super::figures::Of;
use super::number;
use super::standing::{estimated, shown};
use super::table::Table;
use crate::plan::{Load, ToolName};
use crate::results::{Entry, Measured, Outcome, Run, States};
use crate::tool::Latency;
use crate::trial::Doubt;

/// What is said above the tables.
pub(super) const WHY_TOOLS_DIFFER: &str = "One load on one contender, a row a tool. Tools differ because the work of asking is theirs (where a tool is the \
     limit, its rate is its own and not the server's) and because each takes its latency elsewhere: from another moment on, by a \
     coarser clock, or corrected; harness/METHOD.md tells of each.";

/// A server or a tool busier than this share of its cores is the limit.
const BUSY_SHARE: f64 = 0.9;

/// A column: its name, and what a trial has for it.
type Column = (&'static str, Of);

const COUNTS: [Column; 4] = [
    ("Time (s)", |m| Some(m.measurement.seconds)),
    ("Requests", |m| Some(m.measurement.messages as f64)),
    ("RPS", |m| Some(m.rate())),
    ("Errors", |m| Some(m.measurement.errors.values().map(|&count| count as f64).sum())),
];
const LATENCIES: [Column; 4] = [
    ("Latency min (ms)", |m| ms(said(m)?.min_us)),
    ("Latency median (ms)", |m| ms(said(m)?.median_us)),
    ("Latency p99 (ms)", |m| ms(said(m)?.p99_us)),
    ("Latency max (ms)", |m| ms(said(m)?.max_us)),
];
const RECOVERED: [Of; 4] = [
    |m| ms(m.report.as_ref()?.recovered?.min_us),
    |m| ms(m.report.as_ref()?.recovered?.median_us),
    |m| ms(m.report.as_ref()?.recovered?.p99_us),
    |m| ms(m.report.as_ref()?.recovered?.max_us),
];
const TOOL_CPU: Column =
    ("Tool's CPU (% of its cores)", |m| Some(busy(m, m.tool.as_ref()?.cores_busy(), 1)? * 100.0));

/// What the tool says; of our own, the distribution that it recorded.
fn said(measured: &Measured) -> Option<Latency> {
    match &measured.report {
        Some(report) => Some(report.latency),
        None => Latency::of(&measured.measurement.latency),
    }
}

fn ms(us: Option<f64>) -> Option<f64> {
    us.map(|us| us / 1e3)
}

/// Cores that were busy ÷ those of the server (0) or the tool (1).
fn busy(measured: &Measured, cores_busy: f64, whose: usize) -> Option<f64> {
    Some(cores_busy / measured.cores.as_ref()?[whose].cores as f64)
}

/// The tables of all loads that several tools ask, and those of Artillery's loads with a row a contender.
#[must_use]
pub fn tools(run: &Run) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut seen: Vec<Load> = Vec::new();
    let loads = || run.header.profile.loads.iter().map(|asked| &asked.load);
    for load in loads() {
        let Ok(question) = load.by(ToolName::Loadgen) else { continue };
        let by_tools: Vec<&Load> =
            loads().filter(|other| other.by(ToolName::Loadgen).as_ref() == Ok(&question)).collect();
        if by_tools.len() > 1 && !seen.contains(&question) {
            // One that a single tool drove has nothing beside it.
            let asked = |entry: &&Entry| {
                let is_asked =
                    |load: &&&Load| run.header.asked(load).iter().any(|other| other.name == entry.name);
                by_tools.iter().filter(is_asked).count() > 1
            };
            let entries = run.header.contenders.iter().filter(|entry| !entry.is_control()).filter(asked);
            tables.extend(entries.map(|entry| side_by_side(run, entry, &question, &by_tools)));
            seen.push(question);
        }
    }
    let by_artillery =
        loads().filter(|load| load.tool() == ToolName::Artillery && run.header.has(load.tool()));
    tables.extend(by_artillery.map(|load| by_contender(run, load)));
    tables
}

fn side_by_side(run: &Run, entry: &Entry, question: &Load, by_tools: &[&Load]) -> Table {
    let columns = COUNTS.iter().chain(&LATENCIES).chain([&TOOL_CPU]);
    let mut names: Vec<String> = columns.clone().map(|(name, _)| (*name).to_owned()).collect();
    names.push("Verdict".to_owned());
    let mut rows = Vec::new();
    let mut notes = BTreeSet::new();
    for load in by_tools {
        let tool = load.tool();
        let trials: Vec<&Measured> = shown(run, &States::of(&run.trials), entry, load)
            .into_iter()
            .map(|(_, measured)| measured)
            .collect();
        let figure = |of: Of| cell(run, entry, load, of);
        let mut cells: Vec<String> = columns.clone().map(|(_, of)| figure(*of)).collect();
        cells.push(verdict(run, entry, load, &trials));
        rows.push((tool.to_string(), cells));
        if trials.iter().any(|m| m.report.as_ref().is_some_and(|report| report.recovered.is_some())) {
            let none = |count| std::iter::repeat_n(String::new(), count);
            let cells = none(COUNTS.len()).chain(RECOVERED.map(figure)).chain(none(2)).collect();
            rows.push((recovered_how(tool).to_owned(), cells));
        }
        for report in trials.iter().filter_map(|m| m.report.as_ref()) {
            notes.extend(report.notes.iter().map(|note| format!("{tool}: {note}")));
        }
    }
    let title = format!("{}: {question}", entry.name);
    Table { title, columns: names, rows, notes: notes.into_iter().collect() }
}

fn recovered_how(tool: ToolName) -> &'static str {
    match tool {
        ToolName::Wrk => "wrk, before its correction",
        ToolName::Artillery => "artillery, by its processor",
        _ => "the same, recovered",
    }
}

/// The table that Artillery's users know, with a row a contender.
fn by_contender(run: &Run, load: &Load) -> Table {
    let [min, median, _, max] = LATENCIES;
    let [time, requests, rps, (_, errors)] = COUNTS;
    let errors = (if matches!(load, Load::Xhr { .. }) { "HTTP errors" } else { "Errors" }, errors);
    let columns = [time, requests, rps, errors, min, max, median];
    let row = |entry: &Entry| {
        let of_all = |(_, of): &Column| cell(run, entry, load, *of);
        (entry.name.clone(), columns.iter().map(of_all).collect())
    };
    Table {
        title: load.to_string(),
        columns: columns.map(|(name, _)| name.to_owned()).into(),
        rows: run.header.asked(load).into_iter().map(row).collect(),
        notes: Vec::new(),
    }
}

fn cell(run: &Run, entry: &Entry, load: &Load, of: Of) -> String {
    let estimate = estimated(run, &States::of(&run.trials), load, &[entry], of).into_iter().flatten().next();
    estimate.map_or("–".to_owned(), |estimate| number::estimate(&estimate))
}

/// Who was the limit, or why there is no figure.
fn verdict(run: &Run, entry: &Entry, load: &Load, trials: &[&Measured]) -> String {
    let tool = load.tool();
    if let Some(fault) =
        run.header.tools.iter().filter(|found| found.tool == tool).find_map(|found| found.fault.as_ref())
    {
        return fault.to_string();
    }
    if trials.is_empty() {
        let last = run.cell(&entry.name, load).last();
        return match last.map(|trial| &trial.outcome) {
            None => "not taken".to_owned(),
            Some(Outcome::Failed(failed)) => failed.failure.to_string(),
            Some(Outcome::Measured(measured)) => {
                let why = measured.doubts.iter().find(|doubt| doubt.invalidates()).map(Doubt::to_string);
                format!("invalid: {}", why.unwrap_or_default())
            }
        };
    }
    let most = |shares: &mut dyn Iterator<Item = f64>| shares.fold(0.0, f64::max);
    let tool = most(&mut trials.iter().filter_map(|m| busy(m, m.tool.as_ref()?.cores_busy(), 1)));
    let server = most(&mut trials.iter().filter_map(|m| busy(m, m.server.cores_busy(), 0)));
    match (tool > BUSY_SHARE, server > BUSY_SHARE) {
        (true, true) => "both were the limit",
        (true, false) => "the tool was the limit",
        (false, true) => "the server was the limit",
        (false, false) => "neither used up its cores",
    }
    .to_owned()
}

#[cfg(test)]
mod tests;
