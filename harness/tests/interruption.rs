//! Ctrl-C and worse: nothing is left running, and what was taken is kept.

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use harness::results::{Trial, read};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::SIGINT;
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
    // A shell's background jobs inherit that Ctrl-C is ignored, and the harness then heeds it not either. What has a handler
    // here is not inherited.
    signal_hook::flag::register_conditional_shutdown(SIGINT, 130, Arc::new(AtomicBool::new(true)))
        .expect("a handler");
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
    let taken = read(&journal).expect("a journal").trials;
    let mut text = std::fs::read_to_string(&journal).expect("a journal");
    text.push_str("{\"crc32\":\"0badcafe\",\"entry\":{\"round\":2,\"contender\":\"ceil");
    std::fs::write(&journal, text).expect("written");

    let mut resumed =
        stage.command(&["run", "--repeats", "0", "--port", &stage.port.to_string(), "--resume", &name]);
    let output = resumed.arg("--results").arg(stage.path("results")).output().expect("starts");
    assert!(stderr(&output).contains("torn"), "{}", stderr(&output));
    let run = stage.results();
    let slots: Vec<_> = run.trials.iter().map(|trial| trial.slot.clone()).collect();
    assert_eq!(slots, run.header.slots(), "each trial once, in the order of the seed");
    assert!((3..slots.len()).contains(&taken.len()), "{} were taken before", taken.len());
    let begun =
        |trials: &[Trial]| -> Vec<String> { trials.iter().map(|trial| trial.started_at.clone()).collect() };
    assert_eq!(begun(&run.trials[..taken.len()]), begun(&taken), "what was taken is not taken again");
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
fn a_second_run_leaves_the_first_ones_files() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[ECHO]);
    stage.run(&["--skip-verify"]);
    let first = stage.results();
    stage.run(&["--skip-verify"]);
    let results = stage.path("results");
    let again = read(&results.join(format!("{}.json", first.header.name))).expect("still there");
    assert_eq!(again.header.started_at, first.header.started_at);
    let second = read(&results.join(format!("{}-2.json", first.header.name))).expect("a name of its own");
    assert!(second.header.started_at > first.header.started_at);
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
