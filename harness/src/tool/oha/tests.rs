use super::*;
use crate::tool::fixtures::{cut_off, question, read};

const GOOD: &str = include_str!("../../../tests/fixtures/tools/oha-1.16.0.json");
const REFUSED: &str = include_str!("../../../tests/fixtures/tools/oha-1.16.0-status-400.json");
const SERVER_GONE: &str = include_str!("../../../tests/fixtures/tools/oha-1.16.0-server-gone.json");
const NO_SERVER: &str = include_str!("../../../tests/fixtures/tools/oha-1.16.0-no-server.json");

#[test]
fn its_json_is_read_and_what_it_cut_off_at_the_end_is_no_error() {
    let report = read(&Oha, GOOD).expect("a report");
    assert_eq!((report.requests, report.errors.len()), (66_712, 0));
    assert_eq!((report.seconds, report.said_per_s), (1.000978615, Some(66654.77064162855)));
    let expected = [38.442, 118.66716761602088, 90.734, 553.705, 6265.875];
    let Latency { min_us, mean_us, median_us, p99_us, max_us } = report.latency;
    for (said, expected) in [min_us, mean_us, median_us, p99_us, max_us].into_iter().zip(expected) {
        let said = said.expect("a figure");
        assert!((said - expected).abs() < 1e-6, "{said} and {expected}");
    }
    assert!(matches!(&report.notes[..], [note] if note.starts_with("8 requests")), "{:?}", report.notes);
}

#[test]
fn other_errors_are_told_by_cause() {
    let report = read(&Oha, SERVER_GONE).expect("a report");
    assert_eq!(report.requests, 34_352);
    assert_eq!(report.errors, [("Connection refused (os error 111)".to_owned(), 54_778)].into());
}

#[test]
fn not_one_good_answer_is_no_report() {
    for (output, cause, count) in
        [(REFUSED, "HTTP status 400", 400), (NO_SERVER, "Connection refused (os error 111)", 16)]
    {
        let errors = [(cause.to_owned(), count)].into();
        assert_eq!(read(&Oha, output), Err(Fault::NoRequests { errors }));
    }
}

#[test]
fn what_was_cut_off_or_is_of_another_form_is_garbage() {
    for output in [GOOD, SERVER_GONE, REFUSED, NO_SERVER] {
        for part in cut_off(output.trim_end()) {
            assert!(matches!(read(&Oha, &part), Err(Fault::Garbage { .. })), "{} bytes", part.len());
        }
        let other = output.replace("latencyPercentiles", "latencies");
        assert!(matches!(read(&Oha, &other), Err(Fault::Garbage { .. })));
    }
}

#[test]
fn a_number_of_requests_is_told_in_place_of_seconds() {
    let words = |load: &str| Oha.command(&question(load)).expect("a command").join(" ");
    let load = "workload = \"xhr\"\nconnections = 7\ntool = \"oha\"";
    assert!(words(load).contains("oha -z 1500ms -c 7 --worker-threads 1 "), "{}", words(load));
    let counted = format!("{load}\nrequests = 90");
    assert!(words(&counted).contains("oha -n 90 -c 7 "), "{}", words(&counted));
}
