use std::path::Path;

use loadgen::{Distribution, Flow, Flows, Wire};

use super::*;
use crate::plan::Slot;
use crate::results::{Measured, Outcome, Trial, read};

const XHR: &str = "workload = \"countdown\"\nclients = 4\nfrom = 9\ntransport = \"xhr\"";
const WEBSOCKET: &str = "workload = \"countdown\"\nclients = 4\nfrom = 9\ntransport = \"websocket\"";
const ALONE: &str = "workload = \"countdown\"\nclients = 5\nfrom = 9\ntransport = \"xhr\"";
const ECHO: &str = "workload = \"echo\"\nconnections = 4\npayload_bytes = 64";

fn load(text: &str) -> Load {
    toml::from_str(text).expect("a load")
}

/// Five rounds of one contender, whose countdowns take so many µs in each.
fn run(taken_us: impl Fn(&str, u32) -> u64) -> Run {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-1.json");
    let mut run = read(&fixture).expect("results");
    let mut entry = run.header.contenders.swap_remove(0);
    entry.manifest.serves = vec!["countdown".to_owned()];
    let original = run.trials.iter().find_map(|trial| match &trial.outcome {
        Outcome::Measured(measured) if measured.is_valid() => Some(trial.clone()),
        _ => None,
    });
    let original = original.expect("a valid trial");
    run.header.profile.loads = [ECHO, XHR, ALONE, WEBSOCKET].map(|text| load(text).into()).to_vec();
    run.trials.clear();
    for round in 1..=5 {
        for load in [XHR, WEBSOCKET].map(load) {
            let transport = load.transport().expect("it has one");
            let slot = Slot { round, contender: entry.name.clone(), load };
            let Outcome::Measured(mut measured) = original.outcome.clone() else { panic!("it was measured") };
            fill(&mut measured, &transport, taken_us(&transport, round));
            run.trials.push(Trial { slot, outcome: Outcome::Measured(measured), ..original.clone() });
        }
    }
    run.header.contenders = vec![entry];
    run
}

fn fill(measured: &mut Measured, transport: &str, taken_us: u64) {
    let mut total = Distribution::new();
    total.record_ns(taken_us * 1000);
    measured.measurement.total = Some(total);
    let bytes = if transport == "xhr" { 1500 } else { 200 };
    let flow = Flow { bytes, segments: 10 };
    measured.measurement.wire =
        Some(Wire { messages: 10, to_server: flow, to_client: flow, opening: Flows::default() });
}

#[test]
fn loads_that_differ_in_their_transport_alone_share_a_table() {
    let loads = [ECHO, XHR, ALONE, WEBSOCKET].map(load);
    let groups = groups(&loads);
    let ways =
        |group: &Vec<Way<'_>>| group.iter().map(|(transport, _)| transport.clone()).collect::<Vec<_>>();
    assert_eq!(groups.iter().map(ways).collect::<Vec<_>>(), [["xhr", "websocket"]]);
}

#[test]
fn a_transport_is_ahead_where_the_rounds_tell_it_from_the_other() {
    let run = run(|transport, round| u64::from(round) + if transport == "xhr" { 2000 } else { 1000 });
    let [table] = transports(&run).try_into().expect("one table");
    assert_eq!(
        (table.title.as_str(), table.columns),
        ("countdown from 9, 4 clients", vec!["xhr".to_owned(), "websocket".to_owned()])
    );
    let name = &run.header.contenders[0].name;
    let names: Vec<&str> =
        table.rows.iter().map(|(row, _)| row.strip_prefix(&format!("{name}: ")).expect("its name")).collect();
    assert_eq!(
        names,
        ["Whole countdown median (ms)", "Server CPU (µs/message)", "On the wire, both ways (B/message)"]
    );
    let cells = |row: usize| table.rows[row].1.clone();
    assert!(cells(0)[0].ends_with(" #2") && cells(0)[1].ends_with(" #1"), "{:?}", cells(0));
    assert_eq!(cells(1)[0], cells(1)[1], "the same trial is a tie");
    assert!(cells(1)[0].ends_with(" #1"), "{:?}", cells(1));
    assert_eq!(cells(2), ["300.0 #2", "40.00 #1"]);
}

#[test]
fn what_the_rounds_do_not_tell_apart_shares_a_place() {
    let noisy = |transport: &str, round: u32| match transport {
        "xhr" => 1000 + 400 * u64::from(round % 2),
        _ => 1450 - 400 * u64::from(round % 2),
    };
    let run = run(noisy);
    let table = transports(&run).remove(0);
    assert!(table.rows[0].1.iter().all(|cell| cell.ends_with(" #1")), "{:?}", table.rows[0]);
}

#[test]
fn a_transport_that_was_not_measured_says_so() {
    let mut run = run(|_, round| 1000 + u64::from(round));
    run.trials.retain(|trial| trial.slot.load == load(XHR));
    let table = transports(&run).remove(0);
    assert_eq!(table.rows[0].1[1], "not taken");
}
