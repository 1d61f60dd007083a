//! The page of a comparison in a real browser: its rows are those of `compare --json`.

use harness::compare::{Change, Finding, compare};
use harness::page::comparison;
use harness::report::number;
use harness::results::{Outcome, Run};

use super::{browser, committed, read_by};

/// Put behind the page.
const READER: &str = "globalThis.read = [...document.querySelector('.changes').tBodies[0].rows].map(\
                      row => [...row.cells].map(cell => cell.textContent.trim()));";

/// The committed run, as if one contender had taken half as much CPU again.
fn dearer(mut run: Run, contender: &str) -> Run {
    run.header.name.push_str("-after");
    for trial in run.trials.iter_mut().filter(|trial| trial.slot.contender == contender) {
        if let Outcome::Measured(measured) = &mut trial.outcome {
            measured.server.cpu_us *= 1.5;
        }
    }
    run
}

fn texts(word: &str, change: &Change) -> Vec<String> {
    let Change { before, after, ratio, interval: (low, high), .. } = *change;
    let ratios = [format!("{ratio:.3}"), format!("{low:.3}–{high:.3}"), String::new()];
    [vec![word.to_owned(), number(before), number(after)], ratios.to_vec()].concat()
}

#[test]
fn the_page_of_a_comparison_has_the_rows_of_its_json() {
    let compared = compare(&committed(), &dearer(committed(), "actix"));
    let page = comparison(&compared).expect("a page");
    let Some(browser) = browser() else { return };
    let rows: Vec<Vec<String>> = read_by(browser, &page, READER);
    assert_eq!(rows.len(), compared.rows.len());
    let mut worse = 0;
    for row in &compared.rows {
        let about = [row.load.as_str(), &row.contender, row.figure];
        let shown = rows.iter().find(|shown| shown[1..4] == about).expect("each row of the JSON is shown");
        let shown: Vec<String> = [&shown[..1], &shown[4..]].concat();
        let expected = match &row.finding {
            Finding::Worse(change) => {
                assert!(row.contender == "actix" && row.figure.contains("CPU"), "{about:?}");
                worse += 1;
                texts("worse", change)
            }
            Finding::Better(change) => panic!("{about:?}: nothing became better: {change:?}"),
            Finding::MachineChanged(change) => texts("the machine changed", change),
            Finding::NoDifferenceSeen(change) => texts("no difference seen", change),
            Finding::NotComparable { because, .. } => vec!["not comparable".to_owned(), because.clone()],
        };
        assert_eq!(shown, expected, "{about:?}");
    }
    assert!(worse > 0, "half as much again is seen in no load");
}
