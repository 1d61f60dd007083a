//! Two results compared by the command.

mod support;

use std::path::{Path, PathBuf};

use harness::results::{Outcome, Run, read, save};
use support::{ECHO, Stage, stderr, stdout};

/// A run of two contenders, and the same with one contender's server CPU made this many times as large.
fn runs(stage: &Stage, factor: f64) -> (PathBuf, PathBuf) {
    stage.run(&["--skip-verify"]);
    let run = stage.results();
    let before = stage.path("results").join(format!("{}.json", run.header.name));
    let after = stage.path("after.json");
    save(&after, &slower(run, factor)).expect("written");
    (before, after)
}

fn slower(mut run: Run, factor: f64) -> Run {
    for trial in &mut run.trials {
        if let Outcome::Measured(measured) = &mut trial.outcome {
            // Whatever else ran on the machine meanwhile is no matter here.
            measured.doubts.clear();
            measured.probes[0].ping_pong_ns = None;
            if trial.slot.contender == "ceiling" {
                measured.server.cpu_us *= factor;
            }
        }
    }
    run
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[test]
fn a_slower_contender_is_worse_and_the_other_is_not() {
    let stage = Stage::new().with("ceiling").with("tungstenite").profile(4, 0.2, &[ECHO]);
    let (before, after) = runs(&stage, 20.0);
    let original = slower(read(&before).expect("results"), 1.0);
    save(&before, &original).expect("written");
    let compare = |more: &[&str]| {
        let mut command = stage.command(&["compare", text(&before), text(&after)]);
        command.args(more).output().expect("the command starts")
    };
    let page = stdout(&compare(&[]));
    let worse: Vec<&str> = page.lines().filter(|line| line.contains("**worse**")).collect();
    assert_eq!(worse.len(), 1, "{page}");
    assert!(worse[0].contains("ceiling") && worse[0].contains("Server CPU (µs/message)"), "{page}");
    assert!(!page.contains("**better**") && page.contains("no difference seen"), "{page}");

    assert_eq!(compare(&["--fail-on-regression", "50"]).status.code(), Some(3));
    assert_eq!(compare(&["--fail-on-regression", "5000"]).status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&compare(&["--json"]).stdout).expect("JSON");
    let found = json["rows"].as_array().expect("rows").iter().find_map(|row| row["finding"].get("worse"));
    let interval = &found.expect("a change for the worse")["interval"];
    assert!(interval[0].as_f64() < Some(20.0) && interval[1].as_f64() > Some(20.0), "{interval}");
}

#[test]
fn runs_on_another_processor_are_not_comparable_and_a_missing_file_is_said() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[ECHO]);
    let (before, after) = runs(&stage, 1.0);
    let mut run = read(&after).expect("results");
    run.header.environment.processor = "Another".to_owned();
    save(&after, &run).expect("written");
    let output = stage.command(&["compare", text(&before), text(&after)]).output().expect("starts");
    let page = stdout(&output);
    assert!(
        output.status.success() && page.contains("not comparable") && page.contains("another processor"),
        "{page}"
    );
    assert!(!page.contains("no difference seen"));
    let mut gate = stage.command(&["compare", text(&before), text(&after), "--fail-on-regression", "5"]);
    assert_eq!(gate.status().expect("starts").code(), Some(4), "a gate that saw nothing does not open");
    let html = stage.path("compared.html");
    let mut with_page = stage.command(&["compare", text(&before), text(&after), "--html", text(&html)]);
    assert!(with_page.output().expect("starts").status.success());
    let html = std::fs::read_to_string(&html).expect("a page");
    assert!(html.contains("not comparable") && html.contains("another processor"), "{html}");
    let missing = stage.command(&["compare", text(&before), "nothing.md"]).output().expect("starts");
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("nothing.json"), "{}", stderr(&missing));
}
