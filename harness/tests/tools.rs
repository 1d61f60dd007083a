//! Load generators of others through the real command: real ones where they are installed, and fakes that fail in every way.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use harness::plan::ToolName;
use harness::results::{Measured, Outcome, Run};
use harness::tool::{Fault, Found, find_tools};
use harness::trial::{Doubt, Failure};
use support::{Stage, stderr, stdout};

const BY_ALL: &str = "workload = \"xhr\"\nconnections = 4\ntools = [\"loadgen\", \"wrk\", \"hey\"]";
const BY_WRK: &str = "workload = \"xhr\"\nconnections = 4\ntool = \"wrk\"";

/// What the trials of a tool measured.
fn measured_by(run: &Run, tool: ToolName) -> Vec<&Measured> {
    let trials = run.trials.iter().filter(|trial| trial.slot.load.tool() == tool);
    let measured = trials.map(|trial| match &trial.outcome {
        Outcome::Measured(measured) => measured.as_ref(),
        Outcome::Failed(failed) => panic!("a trial failed: {failed:?}"),
    });
    measured.collect()
}

#[test]
fn one_load_by_several_tools_is_a_load_of_each() {
    let stage = Stage::new().with("ceiling").profile(1, 1.0, &[BY_ALL]);
    let output = stage.run(&["--skip-verify"]);
    let run = stage.results();
    assert!(run.is_complete(), "{}", stderr(&output));
    assert_eq!(measured_by(&run, ToolName::Loadgen).len(), 1);
    let page = fs::read_to_string(stage.path("results").join(format!("{}.md", run.header.name)));
    let page = page.expect("a page beside the results");
    for found in find_tools(&support::root()).into_iter().filter(|found| found.version.is_some()) {
        let tool = found.tool;
        if ![ToolName::Wrk, ToolName::Hey].contains(&tool) {
            continue;
        }
        let [measured] = measured_by(&run, tool)[..] else { panic!("one trial by {tool}") };
        let report = measured.report.as_ref().expect("a report");
        assert!(report.errors.is_empty() && report.requests > 0, "{report:?}");
        assert!((0.9..5.0).contains(&report.seconds), "{report:?}");
        assert!(report.latency.median_us <= report.latency.p99_us, "{report:?}");
        assert_eq!(measured.measurement.version, found.version.expect("a version"));
        assert!(measured.server.cpu_us > 0.0);
        let used = measured.tool.as_ref().expect("the tool's processes were read");
        assert!(used.cpu_us > 0.0 && used.seconds > 0.9, "{used:?}");
        assert!(page.contains(&format!("## xhr, 4 connections, by {tool}")), "{page}");
    }
    stage.assert_nothing_left();
}

#[test]
fn artillery_drives_by_websocket_and_by_http() {
    let found = find_tools(&support::root());
    let Some(Found { version: Some(_), .. }) = found.iter().find(|found| found.tool == ToolName::Artillery)
    else {
        return eprintln!("Artillery is not installed: scripts/setup.sh");
    };
    let echo = "workload = \"echo\"\nconnections = 4\npayload_bytes = 64\ntool = \"artillery\"";
    let xhr = "workload = \"xhr\"\nconnections = 4\ntool = \"artillery\"";
    let stage = Stage::new().with("ceiling").profile(1, 1.0, &[echo, xhr]);
    let output = stage.run(&["--skip-verify"]);
    let run = stage.results();
    assert!(run.is_complete(), "{}", stderr(&output));
    for measured in measured_by(&run, ToolName::Artillery) {
        let report = measured.report.as_ref().expect("a report");
        assert!(report.errors.is_empty() && report.requests > 0, "{report:?}");
        // Read between the lines of the processor, not over Artillery's long start.
        let used = measured.tool.as_ref().expect("the tool's processes were read");
        assert!((0.9..6.0).contains(&used.seconds), "{used:?}");
    }
    stage.assert_nothing_left();
}

/// Runs with a program of this name and text before all others.
fn run_with_fake(stage: &Stage, name: &str, script: &str) -> Output {
    let folder = stage.path("fakes");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(name);
    fs::write(
        &file,
        format!("#!/bin/sh\n[ \"$1\" = -v ] && {{ echo 'wrk 4.0.0 [epoll]'; exit 1; }}\n{script}\n"),
    )
    .expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("an executable");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"));
    stage.run_command(&["--skip-verify"]).env("PATH", path).output().expect("the command starts")
}

/// The fault of a fake wrk in its only trial, and the end of its log.
fn fault_of(script: &str) -> (Fault, String) {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[BY_WRK]);
    let output = run_with_fake(&stage, "wrk", script);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    stage.assert_nothing_left();
    let mut run = stage.results();
    let Outcome::Failed(failed) = run.trials.swap_remove(0).outcome else { panic!("it measured something") };
    let Failure::OutsideTool { tool: ToolName::Wrk, fault } = failed.failure else { panic!("{failed:?}") };
    (fault, failed.log_tail)
}

#[test]
fn a_tool_that_fails_is_told_how_with_the_end_of_its_output() {
    let (fault, log) = fault_of("echo it had no socket >&2; exit 3");
    assert_eq!(fault, Fault::Crashed { status: "exit status: 3".to_owned() });
    assert_eq!(log, "it had no socket");
    let (fault, _) = fault_of("kill -SEGV $$");
    assert!(matches!(&fault, Fault::Crashed { status } if status.contains("signal: 11")), "{fault:?}");
    let (fault, log) = fault_of("echo 'Requests/sec: plenty'");
    assert!(matches!(fault, Fault::Garbage { .. }), "{fault:?}");
    assert_eq!(log, "Requests/sec: plenty");
    assert_eq!(fault_of("exit 0").0, Fault::Silent);
    let none =
        r#"echo '{"wrk":{"duration_us":1,"requests":0,"errors":{"connect":7},"latency_us":{},"counts":[]}}'"#;
    assert_eq!(fault_of(none).0, Fault::NoRequests { errors: [("connect".to_owned(), 7)].into() });
}

#[test]
fn a_tool_that_hangs_or_writes_without_end_is_killed_with_its_children() {
    for script in ["sleep 1000 & sleep 1000", "while :; do echo more; sleep 0.01; done"] {
        let (fault, _) = fault_of(script);
        assert!(matches!(fault, Fault::Hung { .. }), "{fault:?}");
    }
}

#[test]
fn a_tool_that_is_not_there_is_a_note_and_no_trial() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[BY_ALL]);
    // Neither wrk nor hey, but what builds the contenders.
    let path = std::env::var("PATH").expect("a path");
    let has_tool = |folder: &&str| ["wrk", "hey"].iter().any(|tool| Path::new(folder).join(tool).is_file());
    let folder = stage.path("bin");
    fs::create_dir(&folder).expect("a folder");
    for shadowed in path.split(':').filter(has_tool) {
        for file in fs::read_dir(shadowed).expect("a folder of the path").flatten() {
            if file.file_name() != "wrk" && file.file_name() != "hey" {
                // Another folder of the path may have one of that name.
                let _ = std::os::unix::fs::symlink(file.path(), folder.join(file.file_name()));
            }
        }
    }
    let rest: Vec<&str> = path.split(':').filter(|folder| !has_tool(folder)).collect();
    let path = format!("{}:{}", rest.join(":"), folder.display());
    let output =
        stage.run_command(&["--skip-verify"]).env("PATH", path).output().expect("the command starts");
    let run = stage.results();
    assert!(run.is_complete(), "{}", stderr(&output));
    assert_eq!(run.trials.len(), 1);
    for tool in ["wrk", "hey"] {
        let note = format!("left out: what {tool} would have measured: it is not installed");
        assert!(run.header.notes.iter().any(|said| said.starts_with(&note)), "{:?}", run.header.notes);
    }
}

#[test]
fn errors_that_a_tool_reports_make_its_trial_invalid() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[BY_WRK]);
    let some = r#"echo '{"wrk":{"duration_us":1000000,"requests":9,"errors":{"timeout":2},"latency_us":{},"counts":[]}}'"#;
    let output = run_with_fake(&stage, "wrk", some);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let run = stage.results();
    let [measured] = measured_by(&run, ToolName::Wrk)[..] else { panic!("one trial") };
    let causes = [("timeout".to_owned(), 2)].into();
    assert!(measured.doubts.contains(&Doubt::Errors { causes }), "{:?}", measured.doubts);
    assert!(!measured.is_valid());
}

#[test]
fn a_tool_of_another_version_is_not_used() {
    let stage = Stage::new();
    let folder = stage.path("fakes");
    fs::create_dir(&folder).expect("a folder");
    let file = folder.join("wrk");
    fs::write(&file, "#!/bin/sh\necho 'wrk 5.0.0 [epoll]'\n").expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("an executable");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"));
    let output = stage.command(&["tools"]).env("PATH", path).output().expect("the command starts");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("is of version 5.0.0, and its output is known of 4.x only"),
        "{}",
        stdout(&output)
    );
}
