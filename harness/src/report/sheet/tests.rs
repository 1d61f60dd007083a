use std::path::Path;

use super::*;
use crate::plan::Slot;
use crate::results::read;
use crate::trial::Doubt;

/// Readings of the ping-pong of two states of a machine, in ns.
const NEAR: f64 = 65.0;
const FAR: f64 = 320.0;

/// A trial: contender, round, state, messages in the measured time of 2 s, and was the load generator the limit?
type Taken = (&'static str, u32, f64, u64, bool);

/// A run of one load with these trials.
fn run(taken: &[Taken]) -> Run {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-1.json");
    let mut run = read(&fixture).expect("results");
    let load = run.header.profile.loads[0].load.clone();
    let original = run.trials.iter().find(|trial| match &trial.outcome {
        Outcome::Measured(measured) => measured.doubts.is_empty(),
        Outcome::Failed(_) => false,
    });
    let original = original.expect("a trial without doubts").clone();
    let trial = |&(contender, round, state, messages, is_limited): &Taken| {
        let slot = Slot { round, contender: contender.to_owned(), load: load.clone() };
        let mut trial = Trial { slot, ..original.clone() };
        let Outcome::Measured(measured) = &mut trial.outcome else { panic!("it was measured") };
        measured.probes[0].ping_pong_ns = Some(state);
        measured.measurement.messages = messages;
        if is_limited {
            measured.doubts = vec![Doubt::ToolLimited { busy_share: 0.95 }];
        }
        trial
    };
    run.trials = taken.iter().map(trial).collect();
    run
}

fn cells(run: &Run, name: &str) -> Vec<String> {
    let sheet = Sheet::of(run, &run.header.profile.loads[0].load);
    let row = sheet.rows.iter().find(|row| row.name.starts_with(name)).expect("the row");
    let text = |cell: &Cell| match &cell.value {
        Ok(estimate) => format!("{}{}{}", cell.bound.sign(), estimate.median, cell.mark()),
        Err(missing) => (*missing).to_owned(),
    };
    row.cells.iter().map(text).collect()
}

#[test]
fn a_cell_is_of_the_state_that_most_trials_were_taken_in_and_what_was_seen_in_another_does_not_colour_it() {
    let run = run(&[
        ("ceiling", 1, NEAR, 400, false),
        ("hyper", 1, NEAR, 200, false),
        ("ceiling", 2, FAR, 300, false),
        ("hyper", 2, FAR, 100, true),
        ("ceiling", 3, NEAR, 400, false),
        ("hyper", 3, NEAR, 200, false),
    ]);
    assert_eq!(cells(&run, "RPS"), ["200", "100"]);
    assert_eq!(cells(&run, "Share of the ceiling"), ["100", "50"]);
}

#[test]
fn a_contender_without_a_trial_in_that_state_is_shown_by_another_and_marked() {
    let mut taken: Vec<Taken> = (1..5).map(|round| ("ceiling", round, NEAR, 400, false)).collect();
    taken.extend([("ceiling", 5, FAR, 200, false), ("hyper", 5, FAR, 100, true)]);
    let run = run(&taken);
    assert_eq!(cells(&run, "RPS"), ["200", "≥ 50‡"]);
    assert_eq!(cells(&run, "Share of the ceiling"), ["100", "≥ 50‡"], "within the round and the state");
    let sheet = Sheet::of(&run, &run.header.profile.loads[0].load);
    let marked = sheet.notes.iter().filter(|note| note.text.starts_with('‡'));
    assert_eq!(marked.map(|note| note.contender.as_str()).collect::<Vec<_>>(), ["hyper"]);
}
