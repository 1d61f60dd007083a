//! Results of older versions, a few trials of each as they were written: they are read, reported and compared, and what
//! cannot be compared is said.

mod support;

use harness::compare::{Finding, Obstacle, compare};
use harness::report::{markdown, tables};
use harness::results::{Outcome, Run, SCHEMA};
use support::old_results;

#[test]
fn results_of_schema_1_are_read_and_reported() {
    let run = old_results();
    assert_eq!((run.header.schema, run.trials.len()), (1, 7));
    assert!(run.is_complete());
    let page = markdown(&run);
    assert!(page.contains("Schema 1, without a digest"), "{page}");
    let [table] = tables(&run).try_into().expect("one load");
    assert_eq!(table.columns, ["ceiling", "hyper"]);
    let (_, rates) = table.rows.iter().find(|(name, _)| name.starts_with("RPS")).expect("rates");
    assert!(rates.iter().all(|cell| cell.contains(|c: char| c.is_ascii_digit())), "{rates:?}");
}

#[test]
fn a_contender_that_does_not_serve_a_load_has_no_column_but_a_note() {
    let mut run = old_results();
    run.header.contenders[0].manifest.serves = vec!["xhr".to_owned()];
    let [table] = tables(&run).try_into().expect("one load");
    assert_eq!(table.columns, ["hyper"]);
    assert!(table.notes.contains(&"ceiling does not serve this".to_owned()), "{:?}", table.notes);
}

#[test]
fn results_of_schema_1_are_compared() {
    let run = old_results();
    let compared = compare(&run, &run);
    assert!(!compared.rows.is_empty());
    for row in &compared.rows {
        let Finding::NoDifferenceSeen(change) = &row.finding else { panic!("{row:?}") };
        assert!((change.ratio - 1.0).abs() < 1e-9 && change.before > 0.0, "{row:?}");
    }
}

/// The old results against others, of which not one figure can be compared: the obstacles, and how they are said.
fn obstacles(change: impl FnOnce(&mut Run)) -> Vec<(Obstacle, String)> {
    let before = old_results();
    let mut after = old_results();
    change(&mut after);
    let compared = compare(&before, &after);
    assert!(compared.worst().is_none());
    let said = compared.rows.into_iter().map(|row| match row.finding {
        Finding::NotComparable { obstacle, because } => (obstacle, because),
        finding => panic!("{finding:?}"),
    });
    said.collect()
}

fn all_are(found: &[(Obstacle, String)], expected: Obstacle, said: &str) {
    assert!(!found.is_empty());
    for (obstacle, because) in found {
        assert!(*obstacle == expected && because.contains(said), "{obstacle:?}: {because}");
    }
}

#[test]
fn another_load_generator_is_not_compared() {
    let found = obstacles(|run| {
        for trial in &mut run.trials {
            if let Outcome::Measured(measured) = &mut trial.outcome {
                measured.measurement.engine = "another".to_owned();
            }
        }
    });
    all_are(&found, Obstacle::OtherTool, "0.1.0 (epoll) and 0.1.0 (another)");
}

#[test]
fn a_load_generator_of_other_sources_is_another_and_one_of_unknown_sources_is_only_told() {
    let built_from = |sources: &str| {
        let mut run = old_results();
        run.header.tool_sources = Some(sources.to_owned());
        run
    };
    let findings = |before: &Run, after: &Run| {
        let compared = compare(before, after);
        assert_eq!(compared.circumstances.len(), 1, "{:?}", compared.circumstances);
        compared.rows.into_iter().map(|row| row.finding).collect::<Vec<_>>()
    };
    for finding in findings(&built_from("aaa"), &built_from("bbb")) {
        let Finding::NotComparable { obstacle, because } = finding else { panic!("{finding:?}") };
        assert!(obstacle == Obstacle::OtherTool && because.contains("(epoll, sources bbb)"), "{because}");
    }
    for finding in findings(&old_results(), &built_from("bbb")) {
        assert!(matches!(finding, Finding::NoDifferenceSeen(_)), "{finding:?}");
    }
}

#[test]
fn another_schema_and_another_machine_are_not_compared() {
    let found = obstacles(|run| run.header.schema = SCHEMA);
    all_are(&found, Obstacle::OtherSchema, &format!("1 and {SCHEMA}"));
    let found = obstacles(|run| run.header.environment.cores += 1);
    all_are(&found, Obstacle::OtherMachine, "number of cores: 2 and 3");
}

#[test]
fn another_load_and_another_contender_are_not_compared() {
    let text = r#"{"workload": "echo", "connections": 65, "payload_bytes": 64}"#;
    let other: harness::plan::Load = serde_json::from_str(text).expect("a load");
    let found = obstacles(|run| {
        run.header.profile.loads = vec![other.clone().into()];
        run.trials.iter_mut().for_each(|trial| trial.slot.load = other.clone());
    });
    let (before, after): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(obstacle, _)| *obstacle == Obstacle::OnlyBefore);
    all_are(&before, Obstacle::OnlyBefore, "the second run has no such load");
    all_are(&after, Obstacle::OnlyAfter, "the first run has no such load");
    let before = old_results();
    let mut after = old_results();
    after.header.contenders.retain(|entry| entry.name == "ceiling");
    after.trials.retain(|trial| trial.slot.contender == "ceiling");
    assert!(compare(&before, &after).is_incomplete());
    assert!(!compare(&after, &before).is_incomplete(), "a contender that was added leaves nothing open");
}
