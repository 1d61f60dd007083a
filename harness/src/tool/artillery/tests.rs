use super::*;
use crate::tool::fixtures::{cut_off, question};

const ECHO: &str = include_str!("../../../tests/fixtures/tools/artillery-2.0.21-echo.json");
const XHR: &str = include_str!("../../../tests/fixtures/tools/artillery-2.0.21-xhr.json");
const COUNTDOWN: &str = include_str!("../../../tests/fixtures/tools/artillery-2.0.21-countdown.json");
const BROADCAST: &str = include_str!("../../../tests/fixtures/tools/artillery-2.0.21-broadcast.json");
const ECHO_GONE: &str = include_str!("../../../tests/fixtures/tools/artillery-2.0.21-echo-server-gone.json");
const ECHO_NONE: &str = include_str!("../../../tests/fixtures/tools/artillery-2.0.21-echo-no-server.json");
const XHR_NONE: &str = include_str!("../../../tests/fixtures/tools/artillery-2.0.21-xhr-no-server.json");

const ECHO_LOAD: &str = "workload = \"echo\"\nconnections = 8\npayload_bytes = 64\ntool = \"artillery\"";
const XHR_LOAD: &str = "workload = \"xhr\"\nconnections = 8\ntool = \"artillery\"";
const COUNTDOWN_LOAD: &str =
    "workload = \"countdown\"\nclients = 8\nfrom = 10\ntransport = \"websocket\"\ntool = \"artillery\"";
const BROADCAST_LOAD: &str =
    "workload = \"broadcast\"\nsubscribers = 8\npayload_bytes = 128\nrate = 50\ntool = \"artillery\"";

fn read_as(load: &str, text: &str) -> Result<ToolReport, Fault> {
    read(&question(load), text)
}

#[test]
fn an_echo_has_the_counts_and_the_latencies_of_the_processor() {
    let report = read_as(ECHO_LOAD, ECHO).expect("a report");
    assert_eq!((report.requests, report.seconds, report.errors.len()), (17_889, 1.5, 0));
    let Latency { min_us, median_us, p99_us, max_us, .. } = report.latency;
    assert!(min_us < median_us && median_us < p99_us && p99_us < max_us, "{:?}", report.latency);
    assert!(report.resolution_us > 0.0 && report.recovered.is_none());
}

#[test]
fn steps_and_deliveries_over_websocket_are_counted_by_the_processor_too() {
    for (load, text, requests) in [(COUNTDOWN_LOAD, COUNTDOWN, 48_208), (BROADCAST_LOAD, BROADCAST, 29_024)] {
        let report = read_as(load, text).expect("a report");
        assert_eq!((report.requests, report.errors.len(), report.notes.len()), (requests, 0, 0));
        assert!(report.latency.median_us <= report.latency.p99_us && report.recovered.is_none());
    }
}

#[test]
fn an_xhr_has_latencies_as_it_says_them_and_finer_ones_of_the_processor() {
    let report = read_as(XHR_LOAD, XHR).expect("a report");
    assert_eq!((report.requests, report.resolution_us), (226, 1000.0));
    let max_us = report.latency.max_us.expect("a largest");
    assert!(max_us % 1000.0 == 0.0 && max_us > 0.0, "whole milliseconds: {max_us}");
    assert!(report.recovered.expect("the processor's").median_us.is_some());
}

#[test]
fn errors_are_told_by_cause_and_once() {
    let report = read_as(ECHO_LOAD, ECHO_GONE).expect("a report");
    assert_eq!(report.errors, [("the connection was closed".to_owned(), 8)].into());
    for (load, text) in [(ECHO_LOAD, ECHO_NONE), (XHR_LOAD, XHR_NONE)] {
        let errors = [("ECONNREFUSED".to_owned(), 8)].into();
        assert_eq!(read_as(load, text), Err(Fault::NoRequests { errors }));
    }
}

#[test]
fn what_was_cut_off_is_garbage() {
    for (load, text) in [(ECHO_LOAD, ECHO), (XHR_LOAD, XHR), (ECHO_LOAD, ECHO_NONE)] {
        for part in cut_off(text.trim_end()) {
            assert!(matches!(read_as(load, &part), Err(Fault::Garbage { .. })), "{} bytes", part.len());
        }
    }
}

#[test]
fn it_is_told_its_users_its_phases_and_where_to_write() {
    let words = Artillery.command(&question(ECHO_LOAD)).expect("a command").join(" ");
    for expected in [
        "PAYLOAD_BYTES=64 RAMP_S=1 WARM_UP_S=0.5 STEADY_S=1.5 WORKERS=1 ",
        "--target ws://127.0.0.1:9001/ws/echo ",
        "\"arrivalCount\":8",
        "--output /scratch/trial.artillery.json /project/artillery/echo.yml",
    ] {
        assert!(words.contains(expected), "{expected} in {words}");
    }
    let words = |load: &str| Artillery.command(&question(load)).expect("a command").join(" ");
    assert!(words(XHR_LOAD).ends_with("/xhr.yml") && !words(XHR_LOAD).contains("COUNTDOWN_FROM"));
    let countdown = words(COUNTDOWN_LOAD);
    assert!(countdown.contains("/ws/countdown ") && countdown.contains("COUNTDOWN_FROM=10 "), "{countdown}");
    let by_xhr = words(&COUNTDOWN_LOAD.replace("websocket", "xhr"));
    assert!(by_xhr.ends_with("/xhr.yml") && by_xhr.contains("COUNTDOWN_FROM=10 "), "{by_xhr}");
}

#[test]
fn a_broadcast_is_of_one_process_and_its_publisher_is_no_user() {
    let question = Question { threads: 3.try_into().expect("not zero"), ..question(BROADCAST_LOAD) };
    let words = Artillery.command(&question).expect("a command").join(" ");
    for expected in
        ["PAYLOAD_BYTES=128 PUBLICATIONS_PER_S=50 ", "WORKERS=1 ", "\"arrivalCount\":8", "/broadcast.yml"]
    {
        assert!(words.contains(expected), "{expected} in {words}");
    }
}

#[test]
fn the_processor_says_when_its_time_begins_and_ends() {
    assert_eq!(Artillery.phase("{\"phase\":\"measure\"}"), Some(Phase::Measure));
    assert_eq!(Artillery.phase("{\"phase\":\"drain\"}"), Some(Phase::Drain));
    assert_eq!(Artillery.phase("Phase started: ramp (index: 0, duration: 1s) 18:09:38(+0000)"), None);
}
