//! Transports side by side: the loads of a run that are equal but for their transport, in one table.

use std::collections::BTreeMap;

use super::figures::{Figure, figures};
use super::sheet::{Cell, cell};
use super::standing::{compared, estimated, noise_floor};
use super::table::Table;
use super::wire::BOTH_WAYS;
use crate::plan::Load;
use crate::results::{Entry, Run};
use crate::stats::Estimate;

/// A table for each group of such loads, in the profile's order: a column a transport.
#[must_use]
pub fn transports(run: &Run) -> Vec<Table> {
    groups(&run.header.profile.questions()).into_iter().map(|group| table(run, &group)).collect()
}

/// Bytes may be the same in every trial: what rounding then leaves between them is no difference.
const ROUNDING: f64 = 1e-9;

/// A load over one of its transports, and the transport.
type Way<'a> = (String, &'a Load);

/// The loads that another load differs from in its transport alone.
fn groups(loads: &[Load]) -> Vec<Vec<Way<'_>>> {
    let mut groups: Vec<Vec<Way<'_>>> = Vec::new();
    for load in loads {
        let Some(transport) = load.transport() else { continue };
        let alike = |group: &&mut Vec<Way<'_>>| group[0].1.over_websocket() == load.over_websocket();
        match groups.iter_mut().find(alike) {
            Some(group) => group.push((transport, load)),
            None => groups.push(vec![(transport, load)]),
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

fn table(run: &Run, group: &[Way<'_>]) -> Table {
    let by_websocket = group[0].1.over_websocket();
    let title = by_websocket.to_string();
    let suffix = by_websocket.transport().map(|transport| format!(", {transport}")).unwrap_or_default();
    let figures: Vec<Compared> =
        chosen(&by_websocket).into_iter().map(|figure| Compared::new(run, group, figure)).collect();
    let takes =
        |entry: &&Entry| !entry.is_control() && group.iter().any(|(_, load)| entry.manifest.takes(load));
    let entries = run.header.contenders.iter().filter(takes);
    Table {
        title: title.strip_suffix(&suffix).unwrap_or(&title).to_owned(),
        columns: group.iter().map(|(transport, _)| transport.clone()).collect(),
        rows: entries
            .flat_map(|entry| figures.iter().map(move |figure| figure.row(run, entry, group)))
            .collect(),
        notes: Vec::new(),
    }
}

/// A figure of the loads of a group.
struct Compared {
    figure: &'static Figure,
    /// The largest factor by which the control differs from itself in one of them.
    noise_floor: f64,
    /// By contender, for each load: as in the load's own table.
    estimates: Vec<BTreeMap<String, Estimate>>,
}

impl Compared {
    fn new(run: &Run, group: &[Way<'_>], figure: &'static Figure) -> Self {
        let estimates = |(_, load): &Way<'_>| {
            let columns = run.header.asked(load);
            let estimates = estimated(run, load, &columns, figure.of);
            let named = columns.iter().zip(estimates);
            named.filter_map(|(entry, estimate)| Some((entry.name.clone(), estimate?))).collect()
        };
        Self {
            figure,
            noise_floor: group.iter().map(|(_, load)| noise_floor(run, load, figure)).fold(1.0, f64::max),
            estimates: group.iter().map(estimates).collect(),
        }
    }

    /// A contender's figures, a cell a transport.
    fn row(&self, run: &Run, entry: &Entry, group: &[Way<'_>]) -> (String, Vec<String>) {
        let places = places(run, entry, group, self.figure, self.noise_floor);
        let cells = group.iter().zip(&self.estimates).enumerate().map(|(index, ((_, load), estimates))| {
            let place = places.get(&index).copied();
            Cell { place, ..cell(run, entry, load, self.figure, estimates.get(&entry.name).copied()) }.text()
        });
        (format!("{}: {}", entry.name, self.figure.name), cells.collect())
    }
}

/// What is compared: the load's first figure by which something can be won, and what a message costs.
fn chosen(load: &Load) -> Vec<&'static Figure> {
    let all = figures(load);
    let headline = all.iter().find(|figure| figure.better.is_some());
    let cpu = all.iter().find(|figure| figure.name.starts_with("Server CPU (µs/"));
    headline.into_iter().chain(cpu).copied().chain([BOTH_WAYS]).collect()
}

/// The places of a contender's transports, by their index in the group. Nothing is claimed that is less than what the control
/// differed from itself by.
fn places(
    run: &Run,
    entry: &Entry,
    group: &[Way<'_>],
    figure: &Figure,
    noise_floor: f64,
) -> BTreeMap<usize, usize> {
    let cells: Vec<(&Entry, &Load)> = group.iter().map(|(_, load)| (entry, *load)).collect();
    let places = figure.better.zip(compared(run, &cells, figure)).map(|(better, (ranked, comparison))| {
        let places = comparison.places(better, noise_floor.ln().max(ROUNDING), None);
        ranked.into_iter().zip(places).collect()
    });
    places.unwrap_or_default()
}

#[cfg(test)]
mod tests;
