//! What is to be measured next: the profile's rounds, and behind them as many more as the figures ask for.

mod precision;

use std::collections::HashMap;

pub use precision::{Cell, Ending, Lacking, ending};

use crate::plan::{Load, Slot};
use crate::results::{Header, Trial};

/// The trials to take next, in their order: what is left of the first round that is not whole. None: the run is at its end.
///
/// It is decided by what was recorded, not by what this process has seen: a run that goes on where it was cut off takes
/// the same trials. One that is `worth repeating` is left until it was taken `repeats` times again.
#[must_use]
pub fn next_round(header: &Header, trials: &[Trial], repeats: u32) -> Vec<Slot> {
    let mut round = 0;
    loop {
        round += 1;
        let slots = header.slots_of(round, &loads(header, trials, round));
        let is_last = slots.is_empty();
        let left = not_taken(slots, trials, repeats);
        if is_last || !left.is_empty() {
            return left;
        }
    }
}

/// What is left of the profile's rounds.
#[must_use]
pub fn left(header: &Header, trials: &[Trial], repeats: u32) -> Vec<Slot> {
    not_taken(header.slots(), trials, repeats)
}

/// The loads of a round: all within the profile's rounds, and behind them those that are not known well enough by what
/// was measured before.
fn loads(header: &Header, trials: &[Trial], round: u32) -> Vec<Load> {
    let rounds = header.profile.rounds.get();
    if round <= rounds {
        return header.profile.questions();
    }
    let before: Vec<&Trial> = trials.iter().filter(|trial| trial.slot.round < round).collect();
    match header.profile.until {
        Some(until) if precision::spent_s(header, &before) < until.seconds => {
            let lacks = |load: &Load| {
                precision::cells(header, &before, load, until.percent).iter().any(Cell::is_open)
            };
            header.profile.questions().into_iter().filter(lacks).collect()
        }
        _ => Vec::new(),
    }
}

fn not_taken(mut slots: Vec<Slot>, trials: &[Trial], repeats: u32) -> Vec<Slot> {
    let mut taken: HashMap<&Slot, Vec<&Trial>> = HashMap::new();
    for trial in trials {
        taken.entry(&trial.slot).or_default().push(trial);
    }
    // The run may have been cut off between a trial and its repetition.
    let is_done = |attempts: &Vec<&Trial>| {
        attempts.len() > repeats as usize || !attempts.iter().all(|trial| trial.outcome.is_worth_repeating())
    };
    slots.retain(|slot| !taken.get(slot).is_some_and(is_done));
    slots
}

#[cfg(test)]
mod tests;
