//! What keeps two runs, or a cell of them, from being compared, and what may explain a change.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::Load;
use crate::results::{Header, Outcome, Run};
use crate::stats::Pair;

/// What keeps figures from being compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// Another machine, other cores of it, or another way to pace TCP on it.
    OtherMachine,
    /// Another version of the results' form, in which a figure may mean something else.
    OtherSchema,
    /// Another load generator, another version of it, or another event engine in it.
    OtherTool,
    /// The first run has no valid trial of it, or not this load at all.
    OnlyAfter,
    /// The second has none.
    OnlyBefore,
    /// No state of the machine that both have seen, or too few trials to judge the noise by.
    TooLittle,
}

/// An obstacle, and what it is in words.
pub(super) type Found = (Obstacle, String);

/// Why nothing of these runs can be compared; `None` if it can.
pub(super) fn obstacle(before: &Header, after: &Header) -> Option<Found> {
    let (one, other) = (&before.environment, &after.environment);
    let schema = |header: &Header| header.schema.to_string();
    let pacing = |name: Option<&String>| name.map_or("unknown", String::as_str).to_owned();
    let (pacing_before, pacing_after) =
        (pacing(one.congestion_control.as_ref()), pacing(other.congestion_control.as_ref()));
    [
        (Obstacle::OtherMachine, "another processor", one.processor.clone(), other.processor.clone()),
        (Obstacle::OtherMachine, "another number of cores", one.cores.to_string(), other.cores.to_string()),
        (
            Obstacle::OtherMachine,
            "other cores for the server",
            before.server_cores.clone(),
            after.server_cores.clone(),
        ),
        (
            Obstacle::OtherMachine,
            "other cores for the load generator",
            before.tool_cores.clone(),
            after.tool_cores.clone(),
        ),
        (Obstacle::OtherMachine, "another way to pace TCP", pacing_before, pacing_after),
        (Obstacle::OtherSchema, "results of another schema", schema(before), schema(after)),
    ]
    .into_iter()
    .find(|(_, _, one, other)| one != other)
    .map(|(obstacle, what, one, other)| (obstacle, format!("{what}: {one} and {other}")))
}

/// What else is not the same.
pub(super) fn circumstances(before: &Header, after: &Header) -> Vec<String> {
    let (one, other) = (&before.environment, &after.environment);
    let seconds =
        |header: &Header| format!("{} s after {} s", header.profile.seconds, header.profile.warmup_s);
    let known = |value: Option<&String>| value.map_or("unknown", String::as_str).to_owned();
    let mut lines: Vec<String> = [
        ("commit", known(one.commit.as_ref()), known(other.commit.as_ref())),
        (
            "sources of the load generator",
            known(before.tool_sources.as_ref()),
            known(after.tool_sources.as_ref()),
        ),
        ("kernel", one.kernel.clone(), other.kernel.clone()),
        ("mitigations", one.mitigations.join(", "), other.mitigations.join(", ")),
        ("frequency governor", known(one.governor.as_ref()), known(other.governor.as_ref())),
        ("compiler", one.rustc.clone(), other.rustc.clone()),
        ("measured time", seconds(before), seconds(after)),
        ("contract proved", before.verified.to_string(), after.verified.to_string()),
    ]
    .into_iter()
    .filter(|(_, a, b)| a != b)
    .map(|(what, a, b)| format!("{what}: {a}, then {b}"))
    .collect();
    for entry in &before.contenders {
        let other = after.contenders.iter().find(|other| other.name == entry.name);
        if let (Some(one), Some(other)) = (&entry.about, other.and_then(|other| other.about.as_ref()))
            && one.version != other.version
        {
            lines.push(format!("{}: {} {}, then {}", entry.name, one.framework, one.version, other.version));
        }
    }
    lines
}

/// Why one cell cannot be compared, whatever its figures; `None` if it can.
pub(super) fn of_cell([before, after]: [&Run; 2], name: &str, load: &Load, pair: &Pair) -> Option<Found> {
    let missing = |run: &Run, which: &str| {
        if !run.header.profile.loads.iter().any(|asked| asked.load == *load) {
            format!("the {which} run has no such load")
        } else if !run.has(name) {
            format!("the {which} run has no such contender")
        } else {
            format!("no valid trial in the {which} run")
        }
    };
    if pair.before.is_empty() {
        return Some((Obstacle::OnlyAfter, missing(before, "first")));
    }
    if pair.after.is_empty() {
        return Some((Obstacle::OnlyBefore, missing(after, "second")));
    }
    let is_known = before.header.tool_sources.is_some() && after.header.tool_sources.is_some();
    let (one, other) = (tools(before, name, load, is_known), tools(after, name, load, is_known));
    (one != other).then(|| (Obstacle::OtherTool, format!("another load generator: {one} and {other}")))
}

/// Too little was seen of a cell.
pub(super) fn too_little() -> Found {
    (Obstacle::TooLittle, "no state of the machine in common, or too few trials".to_owned())
}

/// The load generators that measured a cell: each with its version, engine, and what it was built from if that is known of both.
fn tools(run: &Run, name: &str, load: &Load, is_known: bool) -> String {
    let sources = run.header.tool_sources.as_ref().filter(|_| is_known);
    let sources = sources.map_or_else(String::new, |sources| format!(", sources {sources}"));
    let tools: BTreeSet<String> = run
        .cell(name, load)
        .filter_map(|trial| match &trial.outcome {
            Outcome::Measured(measured) => {
                let loadgen::Measurement { version, engine, .. } = &measured.measurement;
                Some(format!("{version} ({engine}{sources})"))
            }
            Outcome::Failed(_) => None,
        })
        .collect();
    tools.into_iter().collect::<Vec<_>>().join(", ")
}
