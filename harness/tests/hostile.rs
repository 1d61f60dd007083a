//! Hostile clients, a few thousand of the million that `scripts/hostile.sh` sends, against every contender.

mod support;

use support::{Stage, root, stderr, stdout};

#[test]
fn every_contender_survives_hostile_clients_and_serves_on() {
    let contenders = harness::contender::find_all(&root().join("servers")).expect("manifests");
    let stage = contenders.iter().fold(Stage::new(), |stage, contender| stage.with(&contender.name));
    let port = stage.port.to_string();
    let output = stage
        .command(&["verify", "--check", "publi", "--hostile", "2000", "--seed", "1", "--port", &port])
        .output()
        .expect("the command starts");
    let said = stdout(&output);
    assert!(output.status.success(), "{said}\n{}", stderr(&output));
    assert_eq!(said.matches("  ok        2000 hostile clients").count(), contenders.len(), "{said}");
    stage.assert_nothing_left();
}
