//! The recorded rounds, as far as the study needs them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use harness::results::{Outcome, Run, States, read};
use serde::{Deserialize, Serialize};

/// One valid trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Trial {
    pub(super) load: String,
    pub(super) round: u32,
    pub(super) contender: String,
    /// State of the machine, numbered from the fastest.
    pub(super) state: usize,
    /// CPU time of the server for each message.
    pub(super) server_us_per_message: f64,
}

/// One round of a load, with all its contenders.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Round {
    /// The state of the machine, if it was one for all of them.
    pub(super) state: Option<usize>,
    /// Logarithm of the figure of each contender, by name.
    pub(super) values: Vec<f64>,
}

/// Takes from a results file what the study needs, one JSON line a trial.
pub(crate) fn keep(results: &Path, rounds: &Path) -> Result<(), Box<dyn Error>> {
    let run = read(results).map_err(|error| format!("{error:#}"))?;
    let lines: Result<Vec<String>, _> = trials(&run).iter().map(serde_json::to_string).collect();
    let text = lines?.join("\n") + "\n";
    fs::write(rounds, text).map_err(|error| format!("failed to write {}: {error}", rounds.display()).into())
}

fn trials(run: &Run) -> Vec<Trial> {
    let states = States::of(&run.trials);
    let valid = run.trials.iter().filter_map(|trial| match &trial.outcome {
        Outcome::Measured(measured) if measured.is_valid() => Some(Trial {
            load: trial.slot.load.to_string(),
            round: trial.slot.round,
            contender: trial.slot.contender.clone(),
            state: states.index_of(measured),
            server_us_per_message: measured.server.cores_busy() * 1e6 / measured.rate(),
        }),
        _ => None,
    });
    valid
        .filter(|trial| trial.server_us_per_message.is_finite() && trial.server_us_per_message > 0.0)
        .collect()
}

/// Reads what was kept: the complete rounds of each load.
pub(super) fn rounds(kept: &Path) -> Result<BTreeMap<String, Vec<Round>>, Box<dyn Error>> {
    let text =
        fs::read_to_string(kept).map_err(|error| format!("failed to read {}: {error}", kept.display()))?;
    let trials = text.lines().enumerate().map(|(number, line)| {
        serde_json::from_str(line)
            .map_err(|error| format!("malformed line {} of {}: {error}", number + 1, kept.display()))
    });
    Ok(complete(trials.collect::<Result<Vec<Trial>, String>>()?))
}

fn complete(trials: Vec<Trial>) -> BTreeMap<String, Vec<Round>> {
    let mut loads: BTreeMap<String, BTreeMap<u32, BTreeMap<String, Trial>>> = BTreeMap::new();
    for trial in trials {
        // Of trials that were taken again the last one stays.
        let rounds = loads.entry(trial.load.clone()).or_default();
        rounds.entry(trial.round).or_default().insert(trial.contender.clone(), trial);
    }
    let complete = |rounds: BTreeMap<u32, BTreeMap<String, Trial>>| {
        let contenders = rounds.values().map(BTreeMap::len).max().unwrap_or(0);
        let whole = rounds.into_values().filter(|trials| trials.len() == contenders);
        whole.map(|trials| of(&trials.into_values().collect::<Vec<_>>())).collect()
    };
    loads.into_iter().map(|(load, rounds)| (load, complete(rounds))).collect()
}

fn of(trials: &[Trial]) -> Round {
    let state = trials[0].state;
    let is_one = trials.iter().all(|trial| trial.state == state);
    let values = trials.iter().map(|trial| trial.server_us_per_message.ln()).collect();
    Round { state: is_one.then_some(state), values }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(round: u32, contender: &str, state: usize, server_us_per_message: f64) -> Trial {
        let contender = contender.to_owned();
        Trial { load: "echo".to_owned(), round, contender, state, server_us_per_message }
    }

    #[test]
    fn a_round_counts_where_all_contenders_were_measured_and_the_last_of_repeated_trials_stays() {
        let trials = vec![
            trial(1, "b", 0, 2.0),
            trial(1, "a", 0, 9.0),
            trial(1, "a", 0, 1.0),
            trial(2, "a", 0, 1.0),
            trial(3, "a", 0, 1.0),
            trial(3, "b", 1, 2.0),
        ];
        let rounds = complete(trials).remove("echo").expect("a load");
        let values = vec![0.0, 2.0_f64.ln()];
        assert_eq!(rounds, [Round { state: Some(0), values: values.clone() }, Round { state: None, values }]);
    }
}
