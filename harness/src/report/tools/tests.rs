use std::path::Path;

use super::*;
use crate::machine::CoreUse;
use crate::plan::Slot;
use crate::results::{Trial, read};
use crate::tool::{Fault, Found, ToolReport};
use crate::trial::{Failed, Failure};

const BY: [ToolName; 4] = [ToolName::Loadgen, ToolName::Wrk, ToolName::Hey, ToolName::Oha];

fn load(tool: ToolName) -> Load {
    toml::from_str(&format!("workload = \"xhr\"\nconnections = 4\ntool = \"{tool}\"")).expect("a load")
}

fn latency(median_us: f64) -> Latency {
    let at = |times: f64| Some(median_us * times);
    Latency { min_us: at(0.5), mean_us: at(1.0), median_us: at(1.0), p99_us: at(2.0), max_us: at(4.0) }
}

/// A round of one contender by our own load generator, by wrk, which is the limit, by hey, which crashed, and by oha, which is
/// not installed.
fn run() -> Run {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-1.json");
    let mut run = read(&fixture).expect("results");
    let mut entry = run.header.contenders.swap_remove(0);
    entry.manifest.serves = vec!["xhr".to_owned()];
    let original = run.trials.iter().find_map(|trial| match &trial.outcome {
        Outcome::Measured(measured) if measured.is_valid() => Some(trial.clone()),
        _ => None,
    });
    let original = original.expect("a valid trial");
    run.header.profile.loads = BY.map(|tool| load(tool).into()).to_vec();
    let there = |tool| Found { tool, version: Some("1".to_owned()), fault: None };
    let fault = Some(Fault::Missing { how: "build it".to_owned() });
    run.header.tools =
        vec![there(ToolName::Wrk), there(ToolName::Hey), Found { tool: ToolName::Oha, version: None, fault }];
    run.trials.clear();
    for tool in BY {
        let Outcome::Measured(mut measured) = original.outcome.clone() else { panic!("it was measured") };
        let core = CoreUse { cores: 1, busy_s: 1.0, soft_interrupts_s: 0.0, steal_s: 0.0 };
        measured.cores = Some([core, core]);
        measured.server.cpu_us = measured.server.seconds * 0.5e6;
        let mut used = measured.server;
        let report = ToolReport {
            latency: latency(1000.0),
            notes: vec!["a fault".to_owned()],
            ..ToolReport::default()
        };
        let outcome = match tool {
            ToolName::Wrk => {
                used.cpu_us = used.seconds * 0.97e6;
                measured.report = Some(ToolReport { recovered: Some(latency(500.0)), ..report });
                Outcome::Measured(measured.clone())
            }
            ToolName::Hey => {
                let fault = Fault::Crashed { status: "exit status: 3".to_owned() };
                Outcome::Failed(Failed::from(Failure::OutsideTool { tool, fault }))
            }
            ToolName::Oha => continue,
            _ => Outcome::Measured(measured.clone()),
        };
        let outcome = match outcome {
            Outcome::Measured(measured) => {
                Outcome::Measured(Box::new(Measured { tool: Some(used), ..*measured }))
            }
            failed => failed,
        };
        let slot = Slot { round: 1, contender: entry.name.clone(), load: load(tool) };
        run.trials.push(Trial { slot, outcome, ..original.clone() });
    }
    run.header.contenders = vec![entry];
    run
}

#[test]
fn a_row_a_tool_says_what_it_said_and_who_was_the_limit() {
    let [table] = tools(&run()).try_into().expect("one table");
    let names: Vec<&str> = table.rows.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["loadgen", "wrk", "wrk, before its correction", "hey", "oha"]);
    let cell = |row: usize, column: &str| {
        let at = table.columns.iter().position(|name| name == column).expect(column);
        table.rows[row].1[at].as_str()
    };
    for (row, verdict) in [
        (0, "neither used up its cores"),
        (1, "the tool was the limit"),
        (2, ""),
        (3, "crashed: exit status: 3"),
        (4, "is not installed: build it"),
    ] {
        assert!(cell(row, "Verdict").ends_with(verdict), "{}", cell(row, "Verdict"));
    }
    assert_eq!((cell(1, "Latency min (ms)"), cell(2, "Latency min (ms)")), ("0.5000", "0.2500"));
    assert_eq!((cell(1, "Latency p99 (ms)"), cell(2, "Latency max (ms)")), ("2.000", "2.000"));
    assert_eq!((cell(1, "Tool's CPU (% of its cores)"), cell(0, "Errors")), ("97.00", "0"));
    assert!(table.rows[3].1.iter().chain(&table.rows[4].1).filter(|cell| *cell == "–").count() >= 18);
    assert_eq!(table.notes, ["wrk: a fault"]);
}
