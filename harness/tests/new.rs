//! The folder of a new contender, made out of another's.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use support::{free_port, root, stderr, stdout};
use tempfile::TempDir;

/// A project of its own, with these contenders and a manifest of the workspace.
fn project(contenders: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("harness/profiles")).expect("a folder");
    fs::create_dir(folder.path().join("servers")).expect("a folder");
    fs::copy(root().join("Cargo.toml"), folder.path().join("Cargo.toml")).expect("a copy");
    for contender in contenders {
        let copied = Command::new("cp")
            .arg("-r")
            .arg(root().join("servers").join(contender))
            .arg(folder.path().join("servers"))
            .status();
        assert!(copied.expect("cp starts").success());
    }
    folder
}

fn harness(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.arg("--root").arg(root).args(arguments).output().expect("the command starts")
}

#[test]
fn a_copy_of_a_script_is_a_contender_at_once() {
    let project = project(&["python"]);
    let made = harness(project.path(), &["new", "snake", "--from", "python"]);
    assert!(made.status.success(), "{}", stderr(&made));
    let workspace = fs::read_to_string(project.path().join("Cargo.toml")).expect("a manifest");
    assert!(workspace.contains("exclude = [\"servers/snake\", "), "{workspace}");
    let port = free_port().to_string();
    let proved = harness(project.path(), &["verify", "snake", "--check", "root-names", "--port", &port]);
    assert!(proved.status.success(), "{}", stdout(&proved));
    assert!(stdout(&proved).contains("ok        root-names"), "{}", stdout(&proved));
}

#[test]
fn a_copy_of_a_package_is_another_package_of_the_same_framework() {
    let project = project(&["hyper"]);
    let made = harness(project.path(), &["new", "hyper-two", "--from", "hyper"]);
    assert!(made.status.success(), "{}", stderr(&made));
    let read =
        |file: &str| fs::read_to_string(project.path().join("servers/hyper-two").join(file)).expect("a file");
    let manifest = read("contender.toml");
    for line in [
        "name = \"hyper-two\"",
        "title = \"hyper-two\"",
        "\"hyper-two-server\"]",
        "[\"{bin}/hyper-two-server\"]",
    ] {
        assert!(manifest.contains(line), "{line} in {manifest}");
    }
    assert_eq!(
        read("Cargo.toml").matches("name = \"hyper-two-server\"").count(),
        2,
        "the package and its program"
    );
    let source = read("src/main.rs");
    assert!(source.contains("variant.name(\"hyper-two\"), (\"hyper\", version)"), "{source}");
    let told = stdout(&made);
    for line in ["Cargo.toml:3: description", "main.rs:22: let version = launch::version_of(\"hyper\""] {
        assert!(told.contains(line), "{line} in {told}");
    }
}

#[test]
fn what_is_no_name_or_taken_is_refused() {
    let project = project(&["python"]);
    for (name, expected) in [("python", "is there already"), ("Py", "expected a-z"), ("-", "a letter first")]
    {
        let refused = harness(project.path(), &["new", "--from", "python", "--", name]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(stderr(&refused).contains(expected), "{}", stderr(&refused));
    }
    let unknown = harness(project.path(), &["new", "x", "--from", "pythn"]);
    assert!(stderr(&unknown).contains("did you mean python?"), "{}", stderr(&unknown));
}
