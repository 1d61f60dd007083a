use super::*;
use crate::tool::fixtures::{cut_off, question, read};

const GOOD: &str = include_str!("../../../tests/fixtures/tools/hey-0.1.4.txt");
const REFUSED: &str = include_str!("../../../tests/fixtures/tools/hey-0.1.4-status-400.txt");
const SERVER_GONE: &str = include_str!("../../../tests/fixtures/tools/hey-0.1.4-server-gone.txt");
const NO_SERVER: &str = include_str!("../../../tests/fixtures/tools/hey-0.1.4-no-server.txt");

#[test]
fn a_summary_is_read_to_the_last_request() {
    let report = read(&Hey, GOOD).expect("a report");
    assert_eq!((report.requests, report.errors.len(), report.notes.len()), (8024, 0, 0));
    assert!((report.seconds - 1.0003).abs() < 1e-4 && report.said_per_s == Some(8021.3937));
    let expected = Latency {
        min_us: Some(0.0),
        mean_us: Some(1000.0),
        median_us: Some(300.0),
        p99_us: Some(8500.0),
        max_us: Some(14_400.0),
    };
    let Latency { min_us, mean_us, median_us, p99_us, max_us } = report.latency;
    for (said, expected) in [
        (min_us, expected.min_us),
        (mean_us, expected.mean_us),
        (median_us, expected.median_us),
        (p99_us, expected.p99_us),
        (max_us, expected.max_us),
    ] {
        let (said, expected) = (said.expect("a figure"), expected.expect("a figure"));
        assert!((said - expected).abs() < 1e-6, "{said} and {expected}");
    }
}

#[test]
fn errors_are_told_by_cause_and_without_the_ports() {
    let report = read(&Hey, SERVER_GONE).expect("a report");
    assert_eq!(report.requests, 7890);
    let errors = [("connect: connection refused", 12_102), ("read: connection reset by peer", 8)];
    assert_eq!(report.errors, errors.map(|(cause, count)| (cause.to_owned(), count)).into());
}

#[test]
fn not_one_good_answer_is_no_report() {
    for (output, cause, count) in
        [(REFUSED, "HTTP status 400", 400), (NO_SERVER, "connect: connection refused", 16)]
    {
        let errors = [(cause.to_owned(), count)].into();
        assert_eq!(read(&Hey, output), Err(Fault::NoRequests { errors }));
    }
}

#[test]
fn beyond_the_million_latencies_are_of_the_first_and_the_mean_is_put_right() {
    // It was not run for that long: the fixture with more answers, at its own rate.
    let many = GOOD.replace("8024 responses", "2005600 responses").replace("1.0003 secs", "250.0314 secs");
    let report = read(&Hey, &many).expect("a report");
    assert!(report.notes[0].contains("the first 1000000 of 2005600"), "{:?}", report.notes);
    assert!((report.latency.mean_us.expect("a mean") - 1000.0 / 2.0056).abs() < 1e-6);
}

#[test]
fn what_was_cut_off_is_no_report_unless_all_is_there() {
    for output in [GOOD, SERVER_GONE, REFUSED, NO_SERVER] {
        let whole = read(&Hey, output);
        for part in cut_off(output) {
            let Ok(report) = read(&Hey, &part) else { continue };
            let whole = whole.as_ref().expect("the whole has a report where a part has");
            assert_eq!((report.requests, report.seconds), (whole.requests, report.seconds));
            let missing = total(whole.errors.values().copied()) - total(report.errors.values().copied());
            // One request in so many is less than it rounds.
            assert!(missing <= 2, "{missing} errors are missing in {part:?}");
        }
    }
}

#[test]
fn what_is_no_summary_is_garbage() {
    for output in [
        "Summary:\n  Total:\tsoon\n",
        "Usage: hey [options...] <url>",
        "Status code distribution:\n  [200]\tmany",
    ] {
        assert!(matches!(read(&Hey, output), Err(Fault::Garbage { .. })), "{output}");
    }
}

#[test]
fn a_number_of_requests_is_told_in_place_of_seconds() {
    let words = |load: &str| Hey.command(&question(load)).expect("a command").join(" ");
    let load = "workload = \"xhr\"\nconnections = 7\ntool = \"hey\"";
    assert!(words(load).starts_with("hey -z 1500ms -c 7 "), "{}", words(load));
    let counted = format!("{load}\nrequests = 90");
    assert!(words(&counted).starts_with("hey -n 90 -c 7 "), "{}", words(&counted));
}
