//! What other tools read, read back.

mod support;

use std::process::Output;

use harness::export::{Export, Format, export};
use harness::results::{Measured, Outcome, Run};
use harness::stats::median;
use harness::trial::Failure;
use serde_json::Value;
use support::{Stage, old_results, root, stderr, stdout};

fn exported(run: &Run, format: Format) -> Vec<Export> {
    export(run, format).expect("exported")
}

/// The valid measurements of a contender.
fn valid<'a>(run: &'a Run, contender: &'a str) -> impl Iterator<Item = &'a Measured> {
    run.trials.iter().filter(move |trial| trial.slot.contender == contender).filter_map(|trial| match &trial
        .outcome
    {
        Outcome::Measured(measured) if measured.is_valid() => Some(measured.as_ref()),
        _ => None,
    })
}

#[test]
fn percentile_distributions_hold_all_rounds_of_a_cell() {
    let run = old_results();
    let exports = exported(&run, Format::Hgrm);
    let files: Vec<&str> = exports.iter().map(|export| export.file.as_str()).collect();
    assert_eq!(files, ["01-echo-64-64-b-ceiling.hgrm", "01-echo-64-64-b-hyper.hgrm"]);
    for (export, contender) in exports.iter().zip(["ceiling", "hyper"]) {
        let rows: Vec<Vec<f64>> = export
            .text
            .lines()
            .skip(2)
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_whitespace().map(|word| word.parse().expect("a number")).collect())
            .collect();
        let (last, others) = rows.split_last().expect("rows");
        assert!(others.len() > 10 && others.iter().all(|row| row.len() == 4), "{}", export.text);
        assert!(rows.is_sorted_by(|a, b| a[0] <= b[0] && a[1] <= b[1] && a[2] <= b[2]), "{}", export.text);
        let measured = || valid(&run, contender).map(|measured| &measured.measurement.latency);
        let count: u64 = measured().map(loadgen::Distribution::count).sum();
        let max_ns = measured().filter_map(loadgen::Distribution::max_ns).max().expect("latencies");
        assert_eq!((last[1], last[2]), (1.0, count as f64));
        assert!((last[0] - max_ns as f64 / 1e6).abs() <= 0.0005, "{} and {max_ns} ns", last[0]);
        assert!(export.text.contains(&format!("Total count    = {count:12}]")), "{}", export.text);
    }
}

#[test]
fn the_table_of_trials_has_a_row_for_each_and_survives_any_text() {
    let mut run = old_results();
    let reason = "a \"quoted\" comma,\nand a second line";
    let failure = Failure::Tool { tool: "loadgen".to_owned(), reason: reason.to_owned() };
    run.trials[1].outcome = Outcome::Failed(failure.into());
    let text = exported(&run, Format::Csv).remove(0).text;
    assert!(text.lines().next().is_some_and(|line| line.contains(",Server memory (MiB),")), "{text}");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().expect("columns").clone();
    let place = |name: &str| columns.iter().position(|column| column == name).expect("a column");
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("rows alike");
    assert_eq!(rows.len(), run.trials.len());
    for (row, trial) in rows.iter().zip(&run.trials) {
        assert_eq!(row[place("Contender")], trial.slot.contender);
        assert_eq!(row[place("Load")], trial.slot.load.to_string());
        match &trial.outcome {
            Outcome::Measured(measured) => {
                let rate: f64 = row[place("RPS (messages/s)")].parse().expect("a number");
                assert_eq!(rate, measured.rate(), "all digits");
            }
            Outcome::Failed(_) => {
                assert_eq!(&row[place("Outcome")], "failed");
                assert!(row[place("Because")].contains(reason), "{row:?}");
                assert!(row[place("RPS (messages/s)")].is_empty());
            }
        }
    }
}

#[test]
fn benchmarks_are_medians_with_their_intervals_by_what_is_better() {
    let run = old_results();
    let read = |export: &Export| -> Vec<Value> { serde_json::from_str(&export.text).expect("an array") };
    let [smaller, bigger] = exported(&run, Format::BenchmarkJson).try_into().expect("two files");
    let rates = read(&bigger);
    assert_eq!(rates.len(), 2, "of two contenders");
    for (rate, contender) in rates.iter().zip(["ceiling", "hyper"]) {
        assert_eq!(rate["name"], format!("echo, 64 × 64 B / {contender} / RPS"));
        assert_eq!(rate["unit"], "messages/s");
        let mut rates: Vec<f64> = valid(&run, contender).map(Measured::rate).collect();
        assert_eq!(rate["value"].as_f64(), median(&mut rates));
        assert!(
            rate["range"].is_string()
                && rate["extra"].as_str().is_some_and(|extra| extra.contains("29a458e2208e"))
        );
    }
    let costs = read(&smaller);
    let mut names: Vec<&str> = costs.iter().map(|cost| cost["name"].as_str().expect("a name")).collect();
    assert!(names.contains(&"echo, 64 × 64 B / hyper / Latency p99"), "{names:?}");
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

#[test]
fn one_file_is_printed_and_several_need_a_folder() {
    let stage = Stage::new();
    let old = root().join("harness/tests/fixtures/schema-1.json");
    let harness = |more: &[&str]| -> Output {
        let mut command = stage.command(&["export", old.to_str().expect("UTF-8")]);
        command.args(more).output().expect("the command starts")
    };
    assert_eq!(stdout(&harness(&["--format", "csv"])), exported(&old_results(), Format::Csv)[0].text);
    let several = harness(&["--format", "hgrm"]);
    assert_eq!(several.status.code(), Some(1));
    assert!(stderr(&several).contains("--output DIR"), "{}", stderr(&several));
    let folder = stage.path("exports");
    let output = harness(&["--format", "hgrm", "--output", folder.to_str().expect("UTF-8")]);
    assert!(output.status.success(), "{}", stderr(&output));
    for export in exported(&old_results(), Format::Hgrm) {
        assert_eq!(std::fs::read_to_string(folder.join(export.file)).expect("a file"), export.text);
    }
}
