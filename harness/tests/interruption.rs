//! Ctrl-C and worse: nothing is left running, and what was taken is kept.

mod support;

use rustix::process::{Pid, Signal, kill_process};
use support::{BROADCAST, ECHO, Stage, stderr};

/// Rounds that would take minutes: what ends these runs is the test.
fn long() -> Stage {
    Stage::new().with("ceiling").profile(1000, 0.2, &[ECHO])
}

/// Waits until some trials are in the journal.
fn wait_for_trials(stage: &Stage, count: usize) {
    for _ in 0..count {
        let server = stage.wait_for_trial();
        while stage.process_with("PORT") == Some(server) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

#[test]
fn ctrl_c_keeps_the_trials_already_taken_and_leaves_no_process() {
    let stage = long();
    let mut harness = stage.start(&["--skip-verify"]);
    wait_for_trials(&stage, 2);
    kill_process(Pid::from_child(&harness), Signal::INT).expect("signalled");
    assert_eq!(harness.wait().expect("ends").code(), Some(130));
    let run = stage.results();
    assert!(run.trials.len() >= 2 && !run.is_complete());
    let page = stage.path("results").join(format!("{}.md", run.header.name));
    assert!(std::fs::read_to_string(page).expect("a page").contains("The run was cut off"));
    stage.assert_nothing_left();
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_trials_none_twice_and_none_lost() {
    let stage = Stage::new().with("ceiling").with("tungstenite").profile(4, 0.2, &[ECHO, BROADCAST]);
    let mut harness = stage.start(&["--skip-verify", "--seed", "7"]);
    wait_for_trials(&stage, 3);
    stage.wait_for_trial();
    harness.kill().expect("killed");
    harness.wait().expect("ends");
    let journals = std::fs::read_dir(stage.path("results/.run")).expect("a journal");
    let name = journals.flatten().next().expect("a run").file_name().into_string().expect("UTF-8");
    // As a crash in the middle of a write leaves it.
    let journal = stage.path("results/.run").join(&name).join("journal.jsonl");
    let mut text = std::fs::read_to_string(&journal).expect("a journal");
    let taken = text.lines().count() - 1;
    text.push_str("{\"round\":2,\"contender\":\"ceil");
    std::fs::write(&journal, text).expect("written");

    let mut resumed =
        stage.command(&["run", "--repeats", "0", "--port", &stage.port.to_string(), "--resume", &name]);
    let output = resumed.arg("--results").arg(stage.path("results")).output().expect("starts");
    assert!(stderr(&output).contains("torn"), "{}", stderr(&output));
    let run = stage.results();
    assert!(taken >= 3 && run.is_complete(), "{taken} were taken");
    let slots: Vec<_> = run.trials.into_iter().map(|trial| trial.slot).collect();
    assert_eq!(slots, run.header.slots());
    stage.assert_nothing_left();
}

#[test]
fn two_runs_do_not_write_one_journal() {
    let stage = long();
    let mut harness = stage.start(&["--skip-verify"]);
    stage.wait_for_trial();
    let name =
        std::fs::read_dir(stage.path("results/.run")).expect("a journal").flatten().next().expect("a run");
    let name = name.file_name().into_string().expect("UTF-8");
    let port = support::free_port().to_string();
    let mut second = stage.command(&["run", "--port", &port, "--resume", &name]);
    let output = second.arg("--results").arg(stage.path("results")).output().expect("starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("another run is writing"), "{}", stderr(&output));
    harness.kill().expect("killed");
    harness.wait().expect("ends");
    stage.assert_nothing_left();
}

#[test]
fn a_harness_that_is_killed_leaves_no_process_and_no_held_port() {
    let stage = long();
    let mut harness = stage.start(&["--skip-verify"]);
    stage.wait_for_trial();
    harness.kill().expect("killed");
    harness.wait().expect("ends");
    stage.assert_nothing_left();
}
