use std::fmt::Write as _;

use super::link;
use crate::cost::{Cost, Costs};
use crate::plan::ToolName;
use crate::report::{CEILING, Row, Sheet, name_and_unit, number, plus_minus};
use crate::results::Run;

/// What each contender takes of the machine, under the load with the most connections of those that most of them were asked for, and
/// of those who keep it.
pub(super) fn table(run: &Run, sheets: &[Sheet<'_>], costs: &Costs) -> String {
    let ours = sheets.iter().rev().filter(|sheet| sheet.load.tool() == ToolName::Loadgen);
    let Some(sheet) = ours.max_by_key(|sheet| (sheet.columns.len(), sheet.load.connections())) else {
        return "The run has no loads.\n".to_owned();
    };
    let row = |name: &str| sheet.rows.iter().chain(&sheet.costs).find(|row| row.name.starts_with(name));
    let (cpu, memory) = (row("Server CPU (µs/"), row("Server memory, active (KiB/connection)"));
    let unit = cpu.map_or("µs/message", |cpu| name_and_unit(&cpu.name).1);
    let link = link(&run.header.name, sheet.load);
    let mut text = format!(
        "CPU and memory under {link}; lines, crates, size and time from [servers/COST.md](servers/COST.md).\n\n\
         | | CPU ({unit}) | memory (KiB/connection) | lines | crates | binary (MiB) | clean build (s) |\n\
         |---|---:|---:|---:|---:|---:|---:|\n"
    );
    for (i, entry) in sheet.columns.iter().enumerate() {
        if entry.is_control() {
            continue;
        }
        let figure = |row: Option<&Row>| {
            let estimate = row.and_then(|row| row.cells[i].value.as_ref().ok());
            estimate.map_or("–".to_owned(), |estimate| {
                format!("{}{}", number(estimate.median), plus_minus(estimate))
            })
        };
        let none = Cost::default();
        let known = costs.contenders.get(&entry.name);
        let cost = known.unwrap_or(&none);
        let [lines, _, _, _, crates, binary, build] = cost.cells();
        let lines = if known.is_some() { lines } else { "–".to_owned() };
        let name = if entry.name == CEILING { "ceiling (no framework)" } else { &entry.name };
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {lines} | {crates} | {binary} | {build} |",
            figure(cpu),
            figure(memory)
        );
    }
    text
}
