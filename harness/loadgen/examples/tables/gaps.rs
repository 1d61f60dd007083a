use std::error::Error;
use std::fmt::Write;

use serde::Deserialize;

use crate::lateness::GOAL_PERCENT;
use crate::records::Records;
use crate::spread::{Spread, verdict};

/// What a thread that only read the clock saw of its core.
#[derive(Debug, Deserialize)]
struct Gaps {
    /// What the other core did meanwhile.
    other_core: String,
    within_percent: f64,
    longest_us: f64,
}

/// How often the machine let a thread look at the clock.
pub fn table(records: &Records) -> Result<String, Box<dyn Error>> {
    let mut table = String::from(
        "| the other core | within 100 µs, % | goal: 99.9 % | longest gap, µs |\n|---|---|---|---|\n",
    );
    for group in records.grouped(|gaps: &Gaps| gaps.other_core.clone())? {
        let spread = |of: fn(&Gaps) -> f64| Spread::of(group.iter().map(of)).ok_or("no rounds");
        let within = spread(|gaps| gaps.within_percent)?;
        let could = verdict(within.median() >= GOAL_PERCENT);
        let longest = spread(|gaps| gaps.longest_us)?;
        writeln!(table, "| {} | {} | {could} | {} |", group[0].other_core, within.text(2), longest.text(0))?;
    }
    Ok(table)
}
