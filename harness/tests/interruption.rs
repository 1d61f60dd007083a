//! Ctrl-C and worse: nothing is left running, and what was taken is kept.

mod support;

use rustix::process::{Pid, Signal, kill_process};
use support::{ECHO, Stage};

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
fn a_harness_that_is_killed_leaves_no_process_and_no_held_port() {
    let stage = long();
    let mut harness = stage.start(&["--skip-verify"]);
    stage.wait_for_trial();
    harness.kill().expect("killed");
    harness.wait().expect("ends");
    stage.assert_nothing_left();
}
