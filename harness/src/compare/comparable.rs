//! What keeps two runs from being compared, and what may explain a change.

use crate::results::Header;
use crate::stats::Pair;

/// Why nothing of these runs can be compared; `None` if it can.
pub(super) fn obstacle(before: &Header, after: &Header) -> Option<String> {
    let (one, other) = (&before.environment, &after.environment);
    let differs = |what: &str, a: &str, b: &str| (a != b).then(|| format!("{what}: {a} and {b}"));
    differs("another processor", &one.processor, &other.processor)
        .or_else(|| differs("another number of cores", &one.cores.to_string(), &other.cores.to_string()))
        .or_else(|| differs("other cores for the server", &before.server_cores, &after.server_cores))
        .or_else(|| differs("other cores for the load generator", &before.tool_cores, &after.tool_cores))
        .or_else(|| {
            differs(
                "another way to pace TCP",
                control(one.congestion_control.as_ref()),
                control(other.congestion_control.as_ref()),
            )
        })
}

fn control(name: Option<&String>) -> &str {
    name.map_or("unknown", String::as_str)
}

/// What else is not the same.
pub(super) fn circumstances(before: &Header, after: &Header) -> Vec<String> {
    let (one, other) = (&before.environment, &after.environment);
    let seconds =
        |header: &Header| format!("{} s after {} s", header.profile.seconds, header.profile.warmup_s);
    let commit = |commit: Option<&String>| commit.map_or("unknown", String::as_str).to_owned();
    let mut lines: Vec<String> = [
        ("commit", commit(one.commit.as_ref()), commit(other.commit.as_ref())),
        ("kernel", one.kernel.clone(), other.kernel.clone()),
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

/// Why one cell cannot be compared.
pub(super) fn missing(pair: &Pair) -> &'static str {
    match (pair.before.is_empty(), pair.after.is_empty()) {
        (true, _) => "no valid trial in the first",
        (_, true) => "no valid trial in the second",
        _ => "no state of the machine in common, or too few trials",
    }
}
