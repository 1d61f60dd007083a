//! What the command says while it works: to a person at a terminal, into a file, and to a machine.

mod support;

use std::process::{Command, Output};

use serde_json::Value;
use support::{ECHO, Stage, root, stderr, stdout};

fn stage() -> Stage {
    Stage::new().with("ceiling").profile(2, 0.1, &[ECHO])
}

/// The command at a terminal of its own, and all that it said there; `None` without util-linux's `script`.
fn at_a_terminal(command: &Command, no_color: bool) -> Option<Output> {
    let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_string_lossy());
    let words: Vec<String> =
        [command.get_program()].into_iter().chain(command.get_args()).map(quoted).collect();
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]).env("TERM", "xterm");
    // Whatever the test itself was told.
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        script.env_remove(name);
    }
    if no_color {
        script.env("NO_COLOR", "1");
    }
    let output = script.output().ok();
    if output.is_none() {
        println!("skipped: no `script` of util-linux");
    }
    output
}

/// Escape sequences that colour text: they end in `m`, and those that move the cursor do not.
fn colours(said: &str) -> usize {
    let sequences = said.split("\u{1b}[").skip(1);
    sequences
        .filter(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m'))
        .count()
}

#[test]
fn into_a_pipe_go_plain_lines_with_the_time_left_and_figures() {
    let said = stderr(&stage().run(&["--skip-verify"]));
    assert!(!said.contains('\u{1b}') && !said.contains('\r'), "{said}");
    for part in ["[1/2] ceiling: echo, 8 × 64 B; round 1 of 2, 0:0", " left\n", "[2/2]", "RPS (messages/s) "]
    {
        assert!(said.contains(part), "{part:?} in {said}");
    }
}

#[test]
fn a_terminal_gets_colours_unless_no_color_is_set() {
    let stage = stage();
    for no_color in [false, true] {
        let Some(output) = at_a_terminal(&stage.run_command(&["--skip-verify"]), no_color) else { return };
        let said = stdout(&output);
        assert!(said.contains("2/2") && said.contains(" left"), "a bar: {said}");
        assert_eq!(colours(&said) == 0, no_color, "{said:?}");
    }
}

#[test]
fn a_run_prints_a_line_of_json_a_trial_and_one_for_the_results() {
    let stage = stage();
    let output = stage.run(&["--skip-verify", "--json"]);
    let lines: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let run = stage.results();
    let [one, other, end] = &lines[..] else { panic!("{lines:?}") };
    for (line, trial) in [one, other].into_iter().zip(&run.trials) {
        assert_eq!((&line["line"], &line["contender"]), (&"trial".into(), &"ceiling".into()));
        assert_eq!(line["round"], trial.slot.round);
        assert_eq!(line["is_valid"], line["complaint"].is_null());
        assert!(line["figures"]["RPS (messages/s)"].as_f64().is_some_and(|rate| rate > 0.0), "{line}");
    }
    assert_eq!((&end["line"], &end["is_complete"]), (&"results".into(), &true.into()));
    let file = std::path::PathBuf::from(end["file"].as_str().expect("a path"));
    assert_eq!(harness::results::read(&file).expect("results").header.name, run.header.name);
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("results/schema.json")).expect("a schema"))
            .expect("JSON");
    let schema = serde_json::json!({ "$ref": "#/$defs/RunLine", "$defs": schema["$defs"] });
    let schema = jsonschema::validator_for(&schema).expect("a valid schema");
    assert!(lines.iter().all(|line| schema.is_valid(line)), "{lines:#?}");
}

#[test]
fn checks_and_tools_are_printed_as_json() {
    let stage = stage();
    let port = stage.port.to_string();
    let checked =
        stage.command(&["verify", "--json", "--check", "root", "--port", &port]).output().expect("starts");
    let lines: Vec<Value> =
        stdout(&checked).lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(checked.status.success() && !lines.is_empty(), "{}", stderr(&checked));
    assert!(lines.iter().all(|line| line["contender"] == "ceiling" && line["verdict"] == "ok"), "{lines:?}");
    let tools = stage.command(&["tools", "--json"]).output().expect("starts");
    let tools: Value = serde_json::from_str(&stdout(&tools)).expect("JSON");
    assert!(
        tools.as_array().is_some_and(|tools| tools.iter().any(|found| found["tool"] == "hey")),
        "{tools}"
    );
}
