//! Other load generators against a known delay, each that is installed. What noise does to a latency is to add to it: none may
//! say less than the truth.

mod support;

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};

use harness::plan::Load;
use harness::tool::{OUTSIDE, Question, Tool, ToolReport};
use support::Server;

const DELAY_US: f64 = 5000.0;
/// No machine is so busy that half of all answers come later: beyond it a unit would be wrong.
const MOST_US: f64 = 100.0 * DELAY_US;

/// What a tool says of the server; `None` if it is not installed.
fn said(tool: &dyn Tool, server: &Server, load: serde_json::Value) -> Option<ToolReport> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if let Err(fault) = tool.find(&root) {
        eprintln!("not tested: {} {fault}", tool.name());
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let load: Load = serde_json::from_value(load).expect("a load");
    let question = Question {
        root: &root,
        target: server.address().parse().expect("an address"),
        load: &load,
        seconds: 1.0,
        threads: NonZeroUsize::MIN,
        scratch: folder.path().join("trial"),
    };
    let words = tool.command(&question).expect("a command");
    let output = Command::new(&words[0]).args(&words[1..]).current_dir(&root).stdin(Stdio::null()).output();
    let output = output.expect("the tool starts");
    assert!(output.status.success(), "{}: {output:?}", tool.name());
    let text = String::from_utf8_lossy(&output.stdout);
    Some(tool.read(&question, &text).unwrap_or_else(|fault| panic!("{} {fault}: {text}", tool.name())).report)
}

#[test]
fn no_tool_says_less_than_the_delay_that_was_given_to_within_its_own_resolution() {
    for tool in OUTSIDE {
        let server = Server::start(&["--delay", &format!("constant:{DELAY_US}")]);
        let load = serde_json::json!({"workload": "xhr", "connections": 2, "tool": tool.name()});
        let Some(report) = said(tool, &server, load) else { continue };
        let given = server.end();
        assert!(report.errors.is_empty() && report.requests > 0, "{report:?}");
        assert!(report.requests <= given.messages(), "{report:?}");
        for latency in [Some(report.latency), report.recovered].into_iter().flatten() {
            let [median_us, p99_us] =
                [latency.median_us, latency.p99_us].map(|said_us| said_us.expect("a percentile"));
            let least_us = DELAY_US - report.resolution_us;
            assert!(least_us <= median_us && median_us <= p99_us, "{}: {latency:?}", tool.name());
            assert!(median_us < MOST_US, "{}: {latency:?}", tool.name());
        }
    }
}
