use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use super::Estimator;
use super::draws::{Outcome, Target, draw};
use super::rounds::{Round, rounds};

/// Rounds of a run, of which the study draws.
const FEW: [usize; 3] = [3, 5, 7];
/// Draws behind each figure, of each load.
const TIMES: usize = 100;
/// Draws of few rounds out of hardly more would say nothing: so many times as many are needed.
const LEAST: usize = 3;

const TARGETS: [Target; 3] = [Target::Cell, Target::RatioApart, Target::RatioInBlocks];

/// Half width and coverage of each estimator's interval.
pub(crate) fn table(kept: &Path) -> Result<String, Box<dyn Error>> {
    let loads = rounds(kept)?;
    let mut table = String::from(
        "| rounds | estimator | cell | cell, in one state | ratio, apart | ratio, apart, in one state | ratio, in blocks | ratio, in blocks, in one state |\n\
         |--:|---|--:|--:|--:|--:|--:|--:|\n",
    );
    for few in FEW {
        let summaries: Vec<Vec<Option<(f64, f64)>>> =
            Estimator::ALL.iter().map(|estimator| summaries(&loads, *estimator, few)).collect();
        for (estimator, row) in Estimator::ALL.iter().zip(&summaries) {
            let _ = write!(table, "| {few} | {} |", estimator.name());
            for (column, summary) in row.iter().enumerate() {
                let narrowest =
                    summaries.iter().filter_map(|row| row[column]).filter(is_honest).map(|(w, _)| w);
                let _ = write!(table, " {} |", shown(*summary, narrowest.fold(f64::INFINITY, f64::min)));
            }
            table.push('\n');
        }
    }
    let _ = write!(table, "\nThe rounds: {}.\n", described(&loads));
    Ok(table)
}

/// One a column: for each target over all rounds, and over those of one state.
fn summaries(
    loads: &BTreeMap<String, Vec<Round>>,
    estimator: Estimator,
    few: usize,
) -> Vec<Option<(f64, f64)>> {
    let scopes = [everything, by_state];
    let cells = TARGETS.iter().flat_map(|target| scopes.iter().map(move |scope| (*target, scope)));
    cells
        .map(|(target, scope)| {
            let mut outcome = Outcome::default();
            for rounds in loads.values().flat_map(|rounds| scope(rounds)) {
                if rounds.len() >= LEAST * few {
                    outcome.merge(draw(&rounds, target, estimator, few, TIMES));
                }
            }
            outcome.summary()
        })
        .collect()
}

fn everything(rounds: &[Round]) -> Vec<Vec<&Round>> {
    vec![rounds.iter().collect()]
}

fn by_state(rounds: &[Round]) -> Vec<Vec<&Round>> {
    let mut states: BTreeMap<usize, Vec<&Round>> = BTreeMap::new();
    for round in rounds {
        if let Some(state) = round.state {
            states.entry(state).or_default().push(round);
        }
    }
    states.into_values().collect()
}

/// Of 100 draws, 95 as near as can be told.
fn is_honest((_, coverage): &(f64, f64)) -> bool {
    percent(*coverage) >= 95.0
}

fn percent(share: f64) -> f64 {
    (share * 100.0).round()
}

fn shown(summary: Option<(f64, f64)>, narrowest: f64) -> String {
    let Some((half_width, coverage)) = summary else { return "too few rounds".to_owned() };
    let text = format!("±{:.2} % ({} %)", half_width * 100.0, percent(coverage));
    if is_honest(&(half_width, coverage)) && half_width <= narrowest { format!("**{text}**") } else { text }
}

fn described(loads: &BTreeMap<String, Vec<Round>>) -> String {
    let load = |(load, rounds): (&String, &Vec<Round>)| {
        let contenders = rounds.first().map_or(0, |round| round.values.len());
        let states: Vec<String> = by_state(rounds).iter().map(|rounds| rounds.len().to_string()).collect();
        format!(
            "{load}, {contenders} contenders, {} complete rounds, of which in one state each: {}",
            rounds.len(),
            if states.is_empty() { "none".to_owned() } else { states.join(" and ") }
        )
    };
    loads.iter().map(load).collect::<Vec<_>>().join("; ")
}
