//! Contenders that fail in every way: their rows say so, the others go on, and the exit code is not 0.

mod support;

use harness::results::{Outcome, Run};
use harness::trial::Failure;
use support::{BROADCAST, ECHO, Stage, stderr};

fn failure<'a>(run: &'a Run, contender: &str) -> &'a Failure {
    let entry = run.header.contenders.iter().find(|entry| entry.manifest.name == contender).expect("entered");
    &entry.failed.as_ref().expect("failed").failure
}

#[test]
fn contenders_that_fail_before_they_are_measured_are_named_and_the_others_are_measured() {
    let stage = Stage::new()
        .with("ceiling")
        .with_command("broken-build", "echo no such header >&2; exit 7", "true")
        .with_command("crasher", "true", "echo out of cheese >&2; exit 3")
        .with_command("impostor", "true", &format!("exec {}/ceiling-server", bin()))
        .profile(1, 0.1, &[ECHO, BROADCAST]);
    let output = stage.run(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));

    let run = stage.results();
    assert!(
        matches!(failure(&run, "broken-build"), Failure::NotBuilt { reason, .. } if reason.contains('7'))
    );
    assert!(matches!(failure(&run, "crasher"), Failure::EndedAtBoot { status } if status.contains('3')));
    assert!(
        matches!(failure(&run, "impostor"), Failure::AnswersWrongly { answered } if answered.contains("ceiling"))
    );
    assert_eq!(run.trials.len(), 2, "the ceiling's");
    assert!(run.trials.iter().all(|trial| matches!(trial.outcome, Outcome::Measured(_))));

    let page = stage.path("results").join(format!("{}.md", run.header.name));
    let page = std::fs::read_to_string(page).expect("a page");
    for expected in ["no such header", "out of cheese", "| failed | failed |"] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    stage.assert_nothing_left();
}

#[test]
fn a_contender_that_hangs_at_boot_is_given_up() {
    let stage = Stage::new().with_command("sleeper", "true", "sleep 600").profile(1, 0.1, &[ECHO]);
    assert_eq!(stage.run(&[]).status.code(), Some(1));
    assert!(matches!(failure(&stage.results(), "sleeper"), Failure::NotReady { .. }));
    stage.assert_nothing_left();
}

#[test]
fn a_contender_that_breaks_the_contract_is_not_measured() {
    // The ceiling with a limit of its own: it refuses publications that the contract allows.
    let honest =
        std::fs::read_to_string(support::root().join("servers/ceiling/contender.toml")).expect("a manifest");
    assert!(honest.contains("ceiling-server"));
    let run = format!("exec {}/ceiling-server --publication-bytes 1000", bin());
    let stage = Stage::new().with_command("ceiling", "true", &run).profile(1, 0.1, &[ECHO]);
    assert_eq!(stage.run(&[]).status.code(), Some(1));
    let results = stage.results();
    let Failure::BrokeContract { checks } = failure(&results, "ceiling") else {
        panic!("the contract was broken")
    };
    assert!(checks.iter().any(|check| check.contains("publi")), "{checks:?}");
    assert!(results.trials.is_empty());
}

#[test]
fn a_deviation_that_is_no_more_is_an_error() {
    let manifest =
        std::fs::read_to_string(support::root().join("servers/ceiling/contender.toml")).expect("a manifest");
    let stale =
        "[[deviations]]\ncheck = \"pings-are-answered-with-their-bytes\"\nbecause = \"\"\nsource = \"\"\n";
    let stage = Stage::new().manifest("ceiling", &format!("{manifest}\n{stale}")).profile(1, 0.1, &[ECHO]);
    assert_eq!(stage.run(&[]).status.code(), Some(1));
    let results = stage.results();
    let Failure::BrokeContract { checks } = failure(&results, "ceiling") else {
        panic!("the contract was broken")
    };
    assert_eq!(
        *checks,
        ["pings-are-answered-with-their-bytes: passes, so take the deviation out of the manifest"]
    );
}

#[test]
fn a_server_that_dies_in_a_trial_loses_that_trial_only() {
    let stage = Stage::new().with("ceiling").profile(3, 1.0, &[ECHO]);
    let mut harness = stage.start(&["--skip-verify"]);
    kill(stage.wait_for_trial());
    assert_eq!(harness.wait().expect("ends").code(), Some(1));
    let run = stage.results();
    assert_eq!(run.trials.len(), 3);
    let died = |outcome: &Outcome| matches!(outcome, Outcome::Failed(failed) if matches!(failed.failure, Failure::ServerDied { .. }));
    assert_eq!(run.trials.iter().filter(|trial| died(&trial.outcome)).count(), 1);
    stage.assert_nothing_left();
}

#[test]
fn a_load_generator_that_dies_in_a_trial_loses_that_trial_only() {
    let stage = Stage::new().with("ceiling").profile(3, 1.0, &[BROADCAST]);
    let mut harness = stage.start(&["--skip-verify"]);
    stage.wait_for_trial();
    kill(stage.tool().expect("a tool at work"));
    assert_eq!(harness.wait().expect("ends").code(), Some(1));
    let run = stage.results();
    let tool = |outcome: &Outcome| matches!(outcome, Outcome::Failed(failed) if matches!(&failed.failure, Failure::Tool { reason, .. } if reason.contains("signal: 9")));
    assert_eq!(run.trials.iter().filter(|trial| tool(&trial.outcome)).count(), 1);
    assert_eq!(run.trials.len(), 3);
    stage.assert_nothing_left();
}

fn bin() -> String {
    let harness = std::path::Path::new(env!("CARGO_BIN_EXE_harness"));
    harness.parent().and_then(|folder| folder.to_str()).expect("a folder").to_owned()
}

fn kill(process: i32) {
    let process = rustix::process::Pid::from_raw(process).expect("a process");
    rustix::process::kill_process(process, rustix::process::Signal::KILL).expect("killed");
}
