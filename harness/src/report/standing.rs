use std::collections::BTreeMap;

use super::figures::{Figure, Of};
use crate::plan::Load;
use crate::results::{Entry, Figured, Outcome, Run, States};
use crate::stats::{Comparison, Estimate, Observation, Seen, estimates};
use crate::trial::Doubt;

/// How the contenders stand to one another in one figure of one load.
pub(super) struct Standing {
    /// Place of each contender that has one, the control not among them.
    pub places: BTreeMap<String, usize>,
    /// By what factor the control differs from its original: 1.01 is one percent.
    pub noise_floor: Option<f64>,
}

/// Judges all contenders of a load together; `None` if the trials do not allow it.
pub(super) fn standing(run: &Run, load: &Load, figure: &Figure, columns: &[&Entry]) -> Option<Standing> {
    let better = figure.better?;
    let cells: Vec<(&Entry, &Load)> = columns.iter().map(|entry| (*entry, load)).collect();
    let (ranked, comparison) = compared(run, &cells, figure)?;
    let ranked: Vec<&Entry> = ranked.into_iter().map(|index| columns[index]).collect();
    let index = |name: &str| ranked.iter().position(|entry| entry.name == name);
    let control = run.header.control().and_then(|(one, other)| index(&one.name).zip(index(&other.name)));
    let floor = control.map(|(one, other)| comparison.difference(one, other).value.abs());
    let bounds: Vec<usize> = (0..ranked.len())
        .filter(|i| figure.is_rate && is_lower_bound(valid(run, ranked[*i], load)))
        .collect();
    let unranked = control.map(|(_, control)| control);
    let places = comparison.places(better, floor.unwrap_or(0.0), unranked, &bounds);
    // Where each is driven at a rate of its own, what that costs and how long it takes is not of one load.
    let is_alike = figure.is_ranked && (figure.is_rate || !load.is_at_own_rate());
    let places = ranked.iter().zip(places).filter(|(entry, _)| is_alike && !entry.is_control());
    Some(Standing {
        places: places.map(|(entry, place)| (entry.name.clone(), place)).collect(),
        noise_floor: floor.map(f64::exp),
    })
}

/// Compares contenders under loads in a figure: which of them have it, and in the order of these the comparison; `None` if the trials do not
/// allow it.
pub(super) fn compared(
    run: &Run,
    cells: &[(&Entry, &Load)],
    figure: &Figure,
) -> Option<(Vec<usize>, Comparison)> {
    let states = States::of(&run.trials);
    let (mut observations, mut ranked, mut blocks) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (index, (entry, load)) in cells.iter().enumerate() {
        let own: Vec<Observation> = valid(run, entry, load)
            .filter_map(|(trial, measured)| {
                let value = (figure.of)(measured).filter(|value| *value > 0.0)?.ln();
                // Only what was measured in one round and one state of the machine is compared.
                let next = blocks.len();
                let block = *blocks.entry((trial.slot.round, states.index_of(measured))).or_insert(next);
                Some(Observation { treatment: ranked.len(), block, value })
            })
            .collect();
        if !own.is_empty() {
            observations.extend(own);
            ranked.push(index);
        }
    }
    Some((ranked.clone(), Comparison::of(ranked.len(), &observations)?))
}

/// The trials of a cell whose figures count.
pub(crate) fn valid<'a>(run: &'a Run, entry: &'a Entry, load: &'a Load) -> impl Iterator<Item = Figured<'a>> {
    run.cell(&entry.name, load).filter_map(|trial| match &trial.outcome {
        Outcome::Measured(measured) if measured.is_valid() => Some((trial, measured.as_ref())),
        _ => None,
    })
}

/// Of them those that are shown together, see [`States::of_one`].
pub(crate) fn shown<'a>(run: &'a Run, states: &States, entry: &'a Entry, load: &'a Load) -> Vec<Figured<'a>> {
    states.of_one(valid(run, entry, load).collect())
}

/// Each contender's figure, in the order of the columns; `None` for one without a valid trial that has it.
pub(crate) fn estimated(
    run: &Run,
    states: &States,
    load: &Load,
    columns: &[&Entry],
    of: Of,
) -> Vec<Option<Estimate>> {
    let cell = |entry: &&Entry| {
        let seen =
            |(trial, measured): Figured<'_>| Some(Seen { round: trial.slot.round, value: of(measured)? });
        shown(run, states, entry, load).into_iter().filter_map(seen).collect()
    };
    estimates(&columns.iter().map(cell).collect::<Vec<_>>())
}

/// Was the load generator the limit in one of these trials, so that the server can do at least this?
pub(super) fn is_lower_bound<'a>(trials: impl IntoIterator<Item = Figured<'a>>) -> bool {
    trials.into_iter().any(|(_, measured)| measured.doubts.iter().any(Doubt::is_lower_bound))
}

/// The factor by which the control differs from its original in a figure; 1 without a control.
pub(crate) fn noise_floor(run: &Run, load: &Load, figure: &Figure) -> f64 {
    let columns: Vec<&Entry> = run.header.contenders.iter().collect();
    standing(run, load, figure, &columns).and_then(|standing| standing.noise_floor).unwrap_or(1.0)
}
