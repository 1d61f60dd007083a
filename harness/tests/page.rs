//! The page of a run in a real browser: no error, and its figures those of the results.

#[path = "page/answers.rs"]
mod answers;
#[path = "page/charts.rs"]
mod charts;
#[path = "page/comparison.rs"]
mod comparison;
mod support;

use std::fs;
use std::process::Command;

use answers::{assert_answers_are_those_of, assert_transports_are_those_of};
use charts::with_more_rates;
use harness::page::html;
use harness::plan::{Load, ToolName};
use harness::report::{number, tables};
use harness::results::{Measured, Outcome, Run, Trial, latest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use support::root;

/// Two million bytes: what loads at once over a slow line, and opens in any browser.
const MOST_BYTES: usize = 2_000_000;

/// Put behind the page's own script.
const READER: &str = include_str!("page/read.js");
/// Put behind a reader, whose `globalThis.read` it adds to the page.
const ADD: &str = include_str!("page/add.js");

#[derive(Deserialize)]
struct Read {
    loads: Vec<LoadRead>,
    answers: Vec<Vec<AnswerRead>>,
    first: Vec<Vec<String>>,
    jobs: Vec<LoadRead>,
    in_us: String,
    again: bool,
    shown: usize,
    tip: String,
    chart_tip: String,
    way_tip: String,
}

/// The load, or who is first in it and with what.
#[derive(Deserialize)]
struct AnswerRead {
    load: Option<String>,
    names: Vec<String>,
    best: String,
}

#[derive(Deserialize)]
struct LoadRead {
    load: String,
    cards: Vec<CardRead>,
}

#[derive(Deserialize)]
struct CardRead {
    figure: String,
    rows: Vec<[String; 5]>,
}

/// The browser, if there is one.
fn browser() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        println!("skipped: no chromium; `scripts/setup.sh --test` installs it where apt can");
    }
    found
}

/// Opens a page of a run, and reads it off.
fn read_off(browser: &str, page: &str) -> Read {
    read_by(browser, page, READER)
}

/// Opens a page, and reads it off by a script that adds what it read. Nothing may be said on its console.
fn read_by<T: DeserializeOwned>(browser: &str, page: &str, reader: &str) -> T {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.html");
    let reader = format!("<script>{{{reader}}}\n{ADD}</script></body>");
    fs::write(&file, page.replace("</body>", &reader)).expect("written");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
        .arg("--virtual-time-budget=60000")
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("the browser starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    let dom = String::from_utf8(output.stdout).expect("UTF-8");
    let read = dom.split_once("<pre id=\"read\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (read, _) = read.unwrap_or_else(|| panic!("nothing was read off: {said}"));
    serde_json::from_str(read).expect("what was read off")
}

fn committed() -> Run {
    latest(&root().join("results")).expect("committed results").run
}

/// As many loads as make a thousand rows, each with the trials of a real one under another size of message.
fn a_thousand_rows() -> Run {
    let mut run = committed();
    let loads = std::mem::take(&mut run.header.profile.loads);
    let trials = std::mem::take(&mut run.trials);
    let copies = 1000_usize.div_ceil(loads.len() * run.header.contenders.len());
    for copy in 0..copies {
        let other = |load: &Load| -> Load {
            let mut value = serde_json::to_value(load).expect("JSON");
            if let Some(bytes) = value["payload_bytes"].as_u64() {
                value["payload_bytes"] = (bytes + copy as u64).into();
            }
            serde_json::from_value(value).expect("a load")
        };
        run.header.profile.loads.extend(loads.iter().map(|asked| other(asked).into()));
        run.trials.extend(trials.iter().cloned().map(|mut trial| {
            trial.slot.load = other(&trial.slot.load);
            trial
        }));
    }
    run
}

/// The middle reading of the ping-pong, in ns, among those that lie together with most others: of the state of the machine that the page
/// shows, found by another way than the page's.
fn most_usual_ns(run: &Run) -> f64 {
    let readings: Vec<f64> = run.trials.iter().filter_map(valid).map(reading_ns).collect();
    let near = |ns: f64| readings.iter().filter(|other| is_near(ns, **other)).count();
    let densest = readings.iter().copied().max_by_key(|&ns| near(ns)).expect("trials that count");
    let mut state: Vec<f64> = readings.iter().copied().filter(|&ns| is_near(densest, ns)).collect();
    state.sort_by(f64::total_cmp);
    state[state.len() / 2]
}

fn valid(trial: &Trial) -> Option<&Measured> {
    match &trial.outcome {
        Outcome::Measured(measured) if measured.is_valid() => Some(measured),
        _ => None,
    }
}

fn reading_ns(measured: &Measured) -> f64 {
    measured.probes[0].ping_pong_ns.unwrap_or(1.0)
}

fn is_near(one: f64, other: f64) -> bool {
    one.max(other) <= 1.5 * one.min(other)
}

/// The middle of the figures of trials that count and are of that state; `None` where there are none.
fn middle(
    run: &Run,
    usual_ns: f64,
    contender: &str,
    load: &Load,
    of: fn(&Measured) -> f64,
) -> Option<String> {
    let measured = run.cell(contender, load).filter_map(valid);
    let mut values: Vec<f64> =
        measured.filter(|measured| is_near(usual_ns, reading_ns(measured))).map(of).collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(number((values[last / 2] + values[last.div_ceil(2)]) / 2.0))
}

/// Every figure that is shown is the one of the tables, and those that can be had straight from the trials are the trials'.
fn assert_figures_are_those_of(run: &Run, read: &Read) {
    let (tables, loads) = (tables(run), &run.header.profile.loads);
    assert_eq!(read.loads.len(), loads.len());
    let (mut compared, mut recomputed) = (0, 0);
    let usual_ns = most_usual_ns(run);
    for ((shown, table), load) in read.loads.iter().zip(&tables).zip(loads) {
        assert_eq!(shown.load, table.title);
        for card in &shown.cards {
            let is_it = |name: &str| {
                name == card.figure
                    || name.starts_with(&format!("{} (", card.figure))
                    || name.starts_with(&format!("{};", card.figure))
            };
            // The CPU of a connection and that of its messages have one name and two units.
            let named: Vec<_> = table.rows.iter().filter(|(name, _)| is_it(name)).collect();
            if named.is_empty() {
                continue;
            }
            for [name, _, median, range, place] in &card.rows {
                let name = name.trim_end_matches('†');
                let column = table.columns.iter().position(|column| column == name).expect("a contender");
                let range = if range.is_empty() { String::new() } else { format!(" ({range})") };
                let place = if place.is_empty() { String::new() } else { format!(" #{place}") };
                let text = format!("{median}{range}{place}");
                let cells: Vec<&String> = named.iter().map(|(_, cells)| &cells[column]).collect();
                assert!(
                    cells.contains(&&text),
                    "{name}, {}, {load}: {text} is none of {cells:?}",
                    card.figure
                );
                compared += 1;
                let of: fn(&Measured) -> f64 = match card.figure.as_str() {
                    "RPS" | "Deliveries/s" => |m| m.measurement.messages as f64 / m.measurement.seconds,
                    "Latency p99" | "Delivery latency p99" => {
                        |m| m.measurement.latency.quantile_ns(0.99).expect("latencies") as f64 / 1e6
                    }
                    _ => continue,
                };
                // What another tool measured is shown as that tool says it.
                if load.tool() == ToolName::Loadgen
                    && let Some(expected) = middle(run, usual_ns, name, load, of)
                {
                    assert_eq!(median.trim_start_matches("≥ "), expected, "{name}, {}, {load}", card.figure);
                    recomputed += 1;
                }
            }
        }
    }
    let rows: usize = tables.iter().map(|table| table.columns.len()).sum();
    assert!(compared >= 4 * rows && recomputed >= rows / 2, "{compared} compared, {recomputed} recomputed");
}

fn assert_controls_work(read: &Read) {
    let ms = &read.loads.iter().flat_map(|load| &load.cards).find(|card| card.figure.contains("atency"));
    let ms = &ms.expect("a latency").rows[0][2];
    let value = |text: &str| -> f64 { text.replace(',', "").parse().expect("a number") };
    assert!((value(&read.in_us) / value(ms) / 1000.0 - 1.0).abs() < 1e-9, "{} µs, {ms} ms", read.in_us);
    assert!(read.again, "back in ms the figures are what they were");
    assert_eq!(read.shown, 0, "a contender that is not chosen is not shown");
    assert!(read.way_tip.contains(" · ") && read.way_tip.contains("trials count"), "{}", read.way_tip);
    assert!(read.tip.contains("trials count") && read.chart_tip.contains("ms at percentile"), "{}", read.tip);
}

#[test]
fn the_committed_run_opens_and_shows_its_figures() {
    let run = committed();
    let page = html(&run).expect("a page");
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
    let Some(browser) = browser() else { return };
    let read = read_off(browser, &page);
    assert_figures_are_those_of(&run, &read);
    assert_answers_are_those_of(&run, &read);
    assert_transports_are_those_of(&run, &read);
    assert_controls_work(&read);
}

#[test]
fn a_thousand_rows_open() {
    let run = a_thousand_rows();
    let page = html(&run).expect("a page");
    let Some(browser) = browser() else { return };
    let read = read_off(browser, &page);
    assert_figures_are_those_of(&run, &read);
    assert_answers_are_those_of(&run, &read);
    assert_transports_are_those_of(&run, &read);
    assert_controls_work(&read);
}

#[test]
fn every_chart_is_drawn_where_the_results_have_what_it_shows() {
    let run = with_more_rates(committed());
    let page = html(&run).expect("a page");
    for title in [
        "Latency by percentile",
        "Latency median over time",
        "Latency p99 over time",
        "Latency median against rate",
        "Latency p99 against rate",
        "Server memory, active",
        "Share of the ceiling",
        "On the wire, both ways",
    ] {
        assert!(page.contains(title), "{title}");
    }
    let Some(browser) = browser() else { return };
    assert_figures_are_those_of(&run, &read_off(browser, &page));
}

#[test]
fn a_page_asks_nothing_of_a_network_and_keeps_text_from_outside_as_text() {
    let mut run = committed();
    run.header.notes.push("<script>alert(1)</script>".to_owned());
    run.header.contenders[0].manifest.title = "\"><img src=x>".to_owned();
    let page = html(&run).expect("a page");
    for forbidden in ["<script>alert", "<img", "<script src", "@import", "url(", "<link"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}
