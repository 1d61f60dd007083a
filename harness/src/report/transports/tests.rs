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
    // No framework that could be picked is the ceiling.
    (entry.name, entry.manifest.name) = ("actix".to_owned(), "actix".to_owned());
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
    let groups = groups(loads.iter());
    let ways = |group: &Vec<Way<'_>>| group.iter().map(|way| way.transport.clone()).collect::<Vec<_>>();
    assert_eq!(groups.iter().map(ways).collect::<Vec<_>>(), [["xhr", "websocket"]]);
}

/// The rows of a table under a figure's name: its first transports, and each transport's figure.
fn block<'t>(table: &'t Table, figure: &str) -> Vec<(&'t str, &'t str)> {
    let at = table.rows.iter().position(|(name, _)| name.split(';').next() == Some(figure));
    let rows = &table.rows[at.unwrap_or_else(|| panic!("{figure} in {:?}", table.rows))..];
    rows.iter().take(3).map(|(name, cells)| (name.as_str(), cells[0].as_str())).collect()
}

#[test]
fn a_transport_is_ahead_where_the_rounds_tell_it_from_the_other() {
    let run = run(|transport, round| u64::from(round) + if transport == "xhr" { 2000 } else { 1000 });
    let [all, table] = transports(&run).try_into().expect("of all jobs, and of the one");
    assert_eq!(all.rows[0].0, "countdown from 9, 4 clients");
    let name = &run.header.contenders[0].name;
    assert_eq!(all.rows[0].1[1], format!("websocket ({name})"));
    assert_eq!(all.rows[0].1[3], format!("no difference seen ({name})"));
    assert_eq!(table.title, "Transports for countdown from 9, 4 clients");
    assert_eq!(table.columns, [run.header.contenders[0].name.clone()]);
    let [first, xhr, websocket] = block(&table, "Whole countdown median (ms)")[..] else {
        panic!("{table:?}")
    };
    assert_eq!(first.1, "first: websocket");
    assert!(xhr.0 == "xhr" && xhr.1.ends_with(" #2"), "{xhr:?}");
    assert!(websocket.0 == "websocket" && websocket.1.ends_with(" #1"), "{websocket:?}");
    let [first, xhr, websocket] = block(&table, "Server CPU (µs/message)")[..] else { panic!("{table:?}") };
    assert_eq!((first.1, xhr.1), ("no difference seen", websocket.1), "the same trial is a tie");
    assert!(xhr.1.ends_with(" #1"), "{xhr:?}");
    let wire = block(&table, "On the wire, both ways (B/message)");
    assert_eq!(
        wire.iter().map(|(_, cell)| *cell).collect::<Vec<_>>(),
        ["first: websocket", "300.0 #2", "40.00 #1"]
    );
}

#[test]
fn what_the_rounds_do_not_tell_apart_shares_a_place() {
    let noisy = |transport: &str, round: u32| match transport {
        "xhr" => 1000 + 400 * u64::from(round % 2),
        _ => 1450 - 400 * u64::from(round % 2),
    };
    let run = run(noisy);
    let table = transports(&run).remove(1);
    let [first, xhr, websocket] = block(&table, "Whole countdown median (ms)")[..] else {
        panic!("{table:?}")
    };
    assert_eq!(first.1, "no difference seen");
    assert!(xhr.1.ends_with(" #1") && websocket.1.ends_with(" #1"), "{xhr:?}, {websocket:?}");
}

#[test]
fn a_transport_that_was_not_measured_says_so_and_nothing_is_first() {
    let mut run = run(|_, round| 1000 + u64::from(round));
    run.trials.retain(|trial| trial.slot.load == load(XHR));
    let table = transports(&run).remove(1);
    let rows = block(&table, "Whole countdown median (ms)");
    assert_eq!((rows[0].1, rows[2].1), ("–", "not taken"));
}

#[test]
fn subscribers_by_several_transports_are_no_transport() {
    let broadcast = |transport: &str| {
        load(&format!(
            "workload = \"broadcast\"\nsubscribers = 3\npayload_bytes = 32\ntransport = {transport:?}"
        ))
    };
    let loads = ["websocket", "sse", "mixed"].map(broadcast);
    assert_eq!(groups(loads.iter()).iter().map(Vec::len).collect::<Vec<_>>(), [2]);
}
