//! Counting instructions, on a real server under the real valgrind.

mod support;

use support::{Stage, stderr, stdout};

fn is_there(program: &str) -> bool {
    std::process::Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_messages_instructions_are_counted_and_nothing_is_left() {
    if !is_there("valgrind") {
        eprintln!("skipped: there is no valgrind (scripts/setup.sh --test installs it)");
        return;
    }
    // Built with all it waits by a system call that valgrind does not know.
    let stage = Stage::new().with_own_build("ceiling");
    let port = stage.port.to_string();
    let arguments = ["instructions", "--json", "--messages", "300", "--repeats", "2", "--port", &port];
    let output = stage.command(&arguments).output().expect("the command starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let counts: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let count = &counts["contenders"][0];
    assert_eq!((&count["contender"], &counts["messages"]), (&"ceiling".into(), &300.into()));
    // It reads, unmasks, writes and waits: with fewer instructions than these nothing was counted, with more
    // the server's boot was.
    let per_message = count["per_message"].as_f64().expect("a number");
    assert!((50.0..50_000.0).contains(&per_message), "{counts:#}");
    assert_eq!(count["repeats"].as_array().map(Vec::len), Some(2));
    stage.assert_nothing_left();
}

#[test]
fn without_valgrind_it_is_said_what_to_install() {
    let stage = Stage::new().with("ceiling");
    let output = stage.command(&["instructions"]).env("PATH", "").output().expect("the command starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("apt-get install valgrind"), "{}", stderr(&output));
}
