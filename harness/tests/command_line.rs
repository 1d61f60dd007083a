//! What a person types, right and wrong.

mod support;

use std::net::TcpListener;
use std::process::Output;

use support::{ECHO, Stage, stderr, stdout};

fn fails(output: &Output, code: i32, expected: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for part in expected {
        assert!(said.contains(part), "{part:?} in {said}");
    }
}

fn harness(stage: &Stage, arguments: &[&str]) -> Output {
    stage.command(arguments).output().expect("the command starts")
}

#[test]
fn list_shows_contenders_workloads_and_profiles() {
    let stage = Stage::new();
    let command =
        std::process::Command::new(env!("CARGO_BIN_EXE_harness")).arg("list").output().expect("starts");
    let said = stdout(&command);
    for name in
        ["actix", "warp", "hyper", "tungstenite", "ceiling", "echo", "broadcast", "quick", "standard", "full"]
    {
        assert!(said.contains(name), "{name} in {said}");
    }
    drop(stage);
}

#[test]
fn unknown_names_get_the_nearest() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[ECHO]);
    fails(&harness(&stage, &["verify", "cieling"]), 1, &["no contender cieling", "did you mean ceiling?"]);
    fails(&stage.run(&["--contenders", "celing"]), 1, &["did you mean ceiling?"]);
    fails(&stage.run(&["--workloads", "ehco"]), 1, &["did you mean echo?", "broadcast"]);
    fails(&harness(&stage, &["run", "--profile", "quik"]), 1, &["did you mean quick?", "standard"]);
    fails(&harness(&stage, &["verify", "--check", "nonsense"]), 1, &["no check nonsense"]);
}

#[test]
fn a_control_that_is_no_contender_is_told_before_anything_is_built_and_takes_no_name() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[ECHO]);
    fails(&stage.run(&["--control", "celing"]), 1, &["no contender celing to be the control", "ceiling?"]);
    let left = std::fs::read_dir(stage.path("results/.run")).into_iter().flatten().count();
    assert_eq!(left, 0, "the name is free again");
}

#[test]
fn a_full_disk_that_does_not_take_what_is_printed_is_a_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_harness"));
    fails(
        &command.arg("list").stdout(full).output().expect("starts"),
        1,
        &["standard output", "No space left"],
    );
}

#[test]
fn a_port_in_use_is_said_with_its_holder_and_the_flag() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[ECHO]);
    let _held = TcpListener::bind(("127.0.0.1", stage.port)).expect("held");
    let own = format!("process {}", std::process::id());
    fails(&stage.run(&[]), 1, &[&stage.port.to_string(), &own, "--port"]);
}

#[test]
fn malformed_files_are_refused_with_file_and_line() {
    let stage =
        Stage::new().with("ceiling").profile(1, 0.1, &["workload = \"echo\"\nconnections = \"many\""]);
    fails(&stage.run(&[]), 1, &["malformed profile", "tiny.toml", "line 6", "many"]);
    std::fs::write(stage.path("servers/ceiling/contender.toml"), "name = 5\n").expect("written");
    fails(&harness(&stage, &["verify"]), 1, &["malformed manifest", "contender.toml", "line 1"]);
    for (text, expected) in [
        ("{\"schema\": 1,\n 5}", "line 2"),
        ("{\"schema\": 99}", "schema 99"),
        ("{\"schema\": 1}", "missing field"),
    ] {
        let file = stage.path("run.json");
        std::fs::write(&file, text).expect("written");
        fails(&harness(&stage, &["report", file.to_str().expect("UTF-8")]), 1, &["run.json", expected]);
    }
}

#[test]
fn cores_that_we_may_not_use_are_refused() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[ECHO]);
    fails(&stage.run(&["--server-cores", "1000"]), 1, &["core 1000 was asked for"]);
    fails(&stage.run(&["--server-cores", "x"]), 2, &["expected core numbers such as 0-1,4"]);
}

#[test]
fn a_load_beyond_the_limit_of_open_files_is_left_out_before_anything_is_measured() {
    let many = "workload = \"echo\"\nconnections = 400000000\npayload_bytes = 16";
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[many, ECHO]);
    let output = stage.run(&["--skip-verify"]);
    let said = stderr(&output);
    assert!(said.contains("left out: echo, 400000000") && said.contains("ulimit -Hn"), "{said}");
    assert_eq!(stage.results().trials.len(), 1);
    let alone = Stage::new().with("ceiling").profile(1, 0.1, &[many]);
    fails(&alone.run(&["--skip-verify"]), 1, &["no load left", "ulimit -Hn"]);
}

#[test]
fn a_folder_outside_the_project_is_said() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_harness"));
    let output = command.arg("list").current_dir(elsewhere.path()).output().expect("starts");
    fails(&output, 1, &["--root DIR"]);
}
