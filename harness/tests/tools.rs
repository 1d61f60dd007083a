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

const BY_ALL: &str = "workload = \"xhr\"\nconnections = 4\ntools = [\"loadgen\", \"wrk\", \"hey\", \"oha\"]";
const BY_PACKAGED: &str = "workload = \"xhr\"\nconnections = 4\ntools = [\"loadgen\", \"wrk\", \"hey\"]";
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
        if tool == ToolName::Artillery {
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
    let countdown =
        "workload = \"countdown\"\nclients = 4\nfrom = 9\ntransport = \"websocket\"\ntool = \"artillery\"";
    let by_xhr = countdown.replace("websocket", "xhr");
    let closed = "workload = \"broadcast\"\nsubscribers = 4\npayload_bytes = 64\ntool = \"artillery\"";
    let open = format!("{closed}\nrate = 20");
    let loads = [echo, xhr, countdown, &by_xhr, closed, &open];
    let stage = Stage::new().with("ceiling").profile(1, 1.0, &loads);
    let output = stage.run(&["--skip-verify"]);
    let run = stage.results();
    assert!(run.is_complete(), "{}", stderr(&output));
    let by_artillery = measured_by(&run, ToolName::Artillery);
    assert_eq!(by_artillery.len(), loads.len());
    for measured in by_artillery {
        let report = measured.report.as_ref().expect("a report");
        assert!(report.errors.is_empty() && report.requests > 0, "{report:?}");
        // Read between the lines of the processor, not over Artillery's long start.
        let used = measured.tool.as_ref().expect("the tool's processes were read");
        assert!((0.9..6.0).contains(&used.seconds), "{used:?}");
    }
    stage.assert_nothing_left();
}

/// What a fake is called by, and what it says when it is asked for its version.
const VERSIONS: &str =
    "case \"$1\" in -v) echo 'wrk 4.0.0 [epoll]'; exit 1;; --version) echo 'oha 1.16.0'; exit;; esac";

/// Runs with programs of these names and texts before all others.
fn run_with_fakes(stage: &Stage, fakes: &[(&str, &str)]) -> Output {
    let folder = stage.path("fakes");
    fs::create_dir_all(&folder).expect("a folder");
    for (name, script) in fakes {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{VERSIONS}\n{script}\n")).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("an executable");
    }
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"));
    stage.run_command(&["--skip-verify"]).env("PATH", path).output().expect("the command starts")
}

/// The tools that can be faked, with the program of each. Artillery is run by Node, and needs its folder to be there.
fn fakeable() -> Vec<(ToolName, &'static str)> {
    let has_artillery = support::root().join("artillery/node_modules/artillery/package.json").is_file();
    if !has_artillery {
        eprintln!("not tested of Artillery, which is not installed: scripts/setup.sh");
    }
    let all = [
        (ToolName::Wrk, "wrk"),
        (ToolName::Hey, "hey"),
        (ToolName::Oha, "oha"),
        (ToolName::Artillery, "node"),
    ];
    all.into_iter().filter(|(tool, _)| *tool != ToolName::Artillery || has_artillery).collect()
}

/// The fault of a fake of each of these tools in its only trial, and the end of its log. The scripts are by tool.
fn faults_of(
    tools: &[(ToolName, &'static str)],
    script: impl Fn(ToolName) -> &'static str,
) -> Vec<(ToolName, Fault, String)> {
    let loads: Vec<String> = tools
        .iter()
        .map(|(tool, _)| format!("workload = \"xhr\"\nconnections = 4\ntool = \"{tool}\""))
        .collect();
    let loads: Vec<&str> = loads.iter().map(String::as_str).collect();
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &loads);
    let fakes: Vec<(&str, &str)> = tools.iter().map(|(tool, program)| (*program, script(*tool))).collect();
    let output = run_with_fakes(&stage, &fakes);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    stage.assert_nothing_left();
    let trials = stage.results().trials;
    assert_eq!(trials.len(), tools.len(), "{}", stderr(&output));
    let fault = |trial: harness::results::Trial| {
        let Outcome::Failed(failed) = trial.outcome else { panic!("it measured something") };
        let Failure::OutsideTool { tool, fault } = failed.failure else { panic!("{failed:?}") };
        assert_eq!(tool, trial.slot.load.tool());
        (tool, fault, failed.log_tail)
    };
    trials.into_iter().map(fault).collect()
}

#[test]
fn a_tool_that_crashes_is_told_how_with_the_end_of_its_output() {
    for (tool, fault, log) in faults_of(&fakeable(), |_| "echo it had no socket >&2; exit 3") {
        assert_eq!(fault, Fault::Crashed { status: "exit status: 3".to_owned() }, "{tool}");
        assert_eq!(log, "it had no socket", "{tool}");
    }
    for (tool, fault, _) in faults_of(&fakeable(), |_| "kill -SEGV $$") {
        assert!(
            matches!(&fault, Fault::Crashed { status } if status.contains("signal: 11")),
            "{tool}: {fault:?}"
        );
    }
}

#[test]
fn a_tool_that_writes_garbage_or_nothing_is_told_so() {
    for (tool, fault, log) in faults_of(&fakeable(), |_| "echo 'Requests/sec: plenty'") {
        assert!(matches!(fault, Fault::Garbage { .. }), "{tool}: {fault:?}");
        assert_eq!(log, "Requests/sec: plenty", "{tool}");
    }
    for (tool, fault, _) in faults_of(&fakeable(), |_| "exit 0") {
        assert_eq!(fault, Fault::Silent, "{tool}");
    }
}

#[test]
fn a_tool_that_reports_not_one_answer_is_told_why() {
    let none = |tool| match tool {
        ToolName::Hey => {
            "printf 'Status code distribution:\\n\\nError distribution:\\n  [7]\\tGet \"x\": dial: refused\\n'"
        }
        ToolName::Oha => {
            r#"echo '{"summary":{"total":1},"latencyPercentiles":{},"statusCodeDistribution":{},"errorDistribution":{"refused":7}}'"#
        }
        ToolName::Artillery => {
            r#"while [ "$1" != --output ]; do shift; done
               echo done; echo '{"aggregate":{"counters":{"errors.refused":7}}}' >"$2""#
        }
        _ => {
            r#"echo '{"wrk":{"duration_us":1,"requests":0,"errors":{"refused":7},"latency_us":{},"counts":[]}}'"#
        }
    };
    for (tool, fault, _) in faults_of(&fakeable(), none) {
        let Fault::NoRequests { errors } = fault else { panic!("{tool}: {fault:?}") };
        assert!(errors.len() == 1 && errors.values().all(|count| *count == 7), "{tool}: {errors:?}");
        assert!(errors.keys().all(|cause| cause.contains("refused")), "{tool}: {errors:?}");
    }
}

#[test]
fn a_tool_that_hangs_or_writes_without_end_is_killed_with_its_children() {
    std::thread::scope(|scope| {
        for fake in fakeable() {
            scope.spawn(move || {
                let hangs = |_| "sleep 1000 & sleep 1000";
                let [(tool, fault, _)] = &faults_of(&[fake], hangs)[..] else { panic!("one trial") };
                assert!(matches!(fault, Fault::Hung { .. }), "{tool}: {fault:?}");
            });
        }
        scope.spawn(|| {
            let wrk = (ToolName::Wrk, "wrk");
            let endless = |_| "while :; do echo more; sleep 0.01; done";
            let [(_, fault, _)] = &faults_of(&[wrk], endless)[..] else { panic!("one trial") };
            assert!(matches!(fault, Fault::Hung { .. }), "{fault:?}");
        });
    });
}

#[test]
fn a_tool_that_is_not_there_is_a_note_and_no_trial() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[BY_PACKAGED]);
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
    let output = run_with_fakes(&stage, &[("wrk", some)]);
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

#[test]
fn what_a_tool_cannot_drive_is_an_answer_and_the_rest_is_measured() {
    let feed = "workload = \"feed\"\nclients = 2\ntransport = \"xhr\"\ntools = [\"loadgen\", \"artillery\"]";
    let echo = "workload = \"echo\"\nconnections = 2\npayload_bytes = 64\ntool = \"wrk\"";
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[feed, echo]);
    let output = stage.run(&["--skip-verify"]);
    let run = stage.results();
    assert!(run.is_complete(), "{}", stderr(&output));
    assert_eq!(measured_by(&run, ToolName::Loadgen).len(), 1);
    for answer in
        ["left out: artillery cannot drive feed, 2 clients", "left out: wrk cannot drive echo, 2 × 64 B"]
    {
        assert!(run.header.notes.iter().any(|note| note.starts_with(answer)), "{:?}", run.header.notes);
    }
}
