//! A crowd of whom some do not read, small, at contenders whose buffers are most unlike: `harness crowd` has 10,000 at each.

mod support;

use support::{Stage, stderr, stdout};

#[test]
fn who_does_not_read_is_closed_and_memory_stays_within_its_bound() {
    let contenders = ["actix", "ceiling", "fastwebsockets", "hyper"];
    let stage = contenders.into_iter().fold(Stage::new(), Stage::with);
    let port = stage.port.to_string();
    let output = stage
        .command(&["crowd", "--subscribers", "100", "--no-record", "--port", &port])
        .output()
        .expect("the command starts");
    let said = stdout(&output);
    assert!(output.status.success(), "{said}\n{}", stderr(&output));
    for contender in contenders {
        assert!(said.contains(&format!("| {contender} (")), "{said}");
    }
    assert_eq!(said.matches("| 100 | 10 |").count(), contenders.len(), "{said}");
    stage.assert_nothing_left();
}
