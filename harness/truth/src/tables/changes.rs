use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use truth::Given;

/// The contender that is made slower.
pub(crate) const CONTENDER: &str = "truth";
/// The figure whose truth is known.
pub(crate) const FIGURE: &str = "Server CPU (µs/message)";

/// The comparisons of three runs, as `harness compare --json` prints them: what `scripts/compare-demo.sh` records.
#[derive(Deserialize)]
struct Record {
    /// Nothing was changed.
    again: Compared,
    /// CPU time was burnt for each message.
    slower: Compared,
    /// What the server burnt in the third run, one a process.
    given: Vec<Given>,
}

#[derive(Deserialize)]
struct Compared {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    contender: String,
    figure: String,
    finding: Finding,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Finding {
    Better(Change),
    Worse(Change),
    NoDifferenceSeen(Change),
    MachineChanged(Change),
    NotComparable {},
}

#[derive(Deserialize)]
struct Change {
    before: f64,
    after: f64,
    ratio: f64,
    interval: (f64, f64),
}

impl Finding {
    fn word(&self) -> &'static str {
        match self {
            Self::Better(_) => "better",
            Self::Worse(_) => "worse",
            Self::NoDifferenceSeen(_) => "no difference seen",
            Self::MachineChanged(_) => "the machine changed",
            Self::NotComparable {} => "not comparable",
        }
    }

    fn change(&self) -> Option<&Change> {
        match self {
            Self::Better(change)
            | Self::Worse(change)
            | Self::NoDifferenceSeen(change)
            | Self::MachineChanged(change) => Some(change),
            Self::NotComparable {} => None,
        }
    }
}

impl Row {
    /// Is it the contender that was made slower, or its second entry?
    fn is_slower(&self) -> bool {
        self.contender.starts_with(CONTENDER)
    }
}

/// What `harness compare` says of no change, and of one that is known.
pub(crate) fn changes(record: &Path) -> Result<String, Box<dyn Error>> {
    let read = fs::read_to_string(record)
        .map_err(|error| format!("failed to read {}: {error}", record.display()))?;
    let Record { again, slower, given } = serde_json::from_str(&read)
        .map_err(|error| format!("malformed record {}: {error}", record.display()))?;
    let messages: u64 = given.iter().map(Given::messages).sum();
    let burnt_us = given.iter().map(|given| given.burnt_us).sum::<f64>() / messages as f64;
    let mut text = format!(
        "The server burnt {burnt_us:.3} µs a message in the third run, by its own clock.\n\n\
         | runs | contender | CPU before, µs/message | after | true ratio | ratio (95 %) | holds the truth | finding |\n\
         |---|---|--:|--:|--:|--:|---|---|\n",
    );
    for (name, compared, burnt_us) in [("unchanged", &again, 0.0), ("slower", &slower, burnt_us)] {
        for row in compared.rows.iter().filter(|row| row.figure == FIGURE) {
            text.push_str(&shown(name, row, if row.is_slower() { burnt_us } else { 0.0 }));
        }
    }
    let _ = write!(text, "\nUnchanged: {}. Slower: {}.\n", counted(&again, false), counted(&slower, true));
    Ok(text)
}

fn shown(runs: &str, row: &Row, burnt_us: f64) -> String {
    let (contender, word) = (&row.contender, row.finding.word());
    let Some(Change { before, after, ratio, interval: (low, high) }) = row.finding.change() else {
        return format!("| {runs} | {contender} | | | | | | {word} |\n");
    };
    let truth = 1.0 + burnt_us / before;
    let holds = if (low..=high).contains(&&truth) { "yes" } else { "**no**" };
    format!(
        "| {runs} | {contender} | {before:.3} | {after:.3} | {truth:.3} | {ratio:.3} ({low:.3}–{high:.3}) | {holds} | {word} |\n"
    )
}

/// How many figures were found to be what; of the slower contender's apart.
fn counted(compared: &Compared, apart: bool) -> String {
    let of = |rows: Vec<&Row>| {
        let count = |word: &str| rows.iter().filter(|row| row.finding.word() == word).count();
        let figures = rows.len();
        format!("{figures} figures compared, {} better, {} worse", count("better"), count("worse"))
    };
    let (slower, others): (Vec<&Row>, Vec<&Row>) =
        compared.rows.iter().partition(|row| apart && row.is_slower());
    if !apart {
        return of(others);
    }
    format!("{} of what burns; {} of the rest", of(slower), of(others))
}

#[cfg(test)]
mod tests {
    use harness::compare::{self, compare};
    use harness::results::latest;

    use super::*;

    /// A comparison with this change of the contender's CPU time, as the command prints it.
    fn compared(ratio: f64, half_width: f64) -> serde_json::Value {
        let change = compare::Change {
            before: 10.0,
            after: 10.0 * ratio,
            ratio,
            interval: (ratio - half_width, ratio + half_width),
            beyond: None,
        };
        let is_worse = ratio > 1.0 + half_width;
        let finding = if is_worse {
            compare::Finding::Worse(change)
        } else {
            compare::Finding::NoDifferenceSeen(change)
        };
        let row =
            serde_json::json!({"load": "", "contender": CONTENDER, "figure": FIGURE, "finding": finding});
        serde_json::json!({"rows": [row]})
    }

    fn table(again: &serde_json::Value, slower: &serde_json::Value) -> String {
        let mut given = Given::new("constant:0".parse().expect("a delay"));
        (0..2).for_each(|_| given.add_reply(std::time::Duration::ZERO));
        given.add_burnt(std::time::Duration::from_micros(2));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("changes.json");
        let record = serde_json::json!({"again": again, "slower": slower, "given": [given]});
        fs::write(&file, record.to_string()).expect("written");
        changes(&file).expect("a table")
    }

    #[test]
    fn a_known_change_is_shown_beside_what_was_found() {
        let shown = table(&compared(1.0, 0.02), &compared(1.11, 0.02));
        let rows: Vec<&str> = shown.lines().filter(|line| line.contains("| truth |")).collect();
        assert_eq!(
            rows,
            [
                "| unchanged | truth | 10.000 | 10.000 | 1.000 | 1.000 (0.980–1.020) | yes | no difference seen |",
                "| slower | truth | 10.000 | 11.100 | 1.100 | 1.110 (1.090–1.130) | yes | worse |",
            ]
        );
        assert!(table(&compared(1.0, 0.02), &compared(1.2, 0.02)).contains("| **no** | worse |"));
    }

    #[test]
    fn the_figure_whose_truth_is_known_is_one_that_is_compared() {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results");
        let latest = latest(&results).expect("committed results");
        let run = &latest.run;
        assert!(compare(run, run).rows.iter().any(|row| row.figure == FIGURE));
    }
}
