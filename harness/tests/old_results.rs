//! Results of older versions: a few trials of each, as they were written.

mod support;

use harness::compare::{Finding, compare};
use harness::report::{markdown, tables};
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
fn results_of_schema_1_are_compared() {
    let run = old_results();
    let compared = compare(&run, &run);
    assert!(!compared.rows.is_empty());
    for row in &compared.rows {
        let Finding::NoDifferenceSeen(change) = &row.finding else { panic!("{row:?}") };
        assert!((change.ratio - 1.0).abs() < 1e-9 && change.before > 0.0, "{row:?}");
    }
}
