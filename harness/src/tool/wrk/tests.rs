use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::tool::fixtures::{cut_off, question, read};

const GOOD: &str = include_str!("../../../tests/fixtures/tools/wrk-4.1.0.txt");
const REFUSED: &str = include_str!("../../../tests/fixtures/tools/wrk-4.1.0-status-400.txt");
const SERVER_GONE: &str = include_str!("../../../tests/fixtures/tools/wrk-4.1.0-server-gone.txt");

/// `stats_correct` of stats.c, line by line.
fn corrected_as_wrk_does(latencies_us: &[u64], interval_us: u64) -> BTreeMap<u64, u64> {
    let mut data: BTreeMap<u64, u64> = BTreeMap::new();
    for latency_us in latencies_us {
        *data.entry(*latency_us).or_default() += 1;
    }
    let max = latencies_us.iter().copied().max().unwrap_or(0);
    for n in interval_us * 2..=max {
        let count = data.get(&n).copied().unwrap_or(0);
        let mut m = n - interval_us;
        while count > 0 && m > interval_us {
            *data.entry(m).or_default() += count;
            m -= interval_us;
        }
    }
    data
}

proptest! {
    #[test]
    fn what_wrk_added_is_taken_away_again(latencies_us in vec(1u64..900, 1..60), interval_us in 1u64..300) {
        let counts: Vec<(u64, u64)> = corrected_as_wrk_does(&latencies_us, interval_us).into_iter().collect();
        let mut expected = Distribution::new();
        latencies_us.iter().for_each(|latency_us| expected.record_ns(latency_us * 1000));
        prop_assert!(uncorrected(&counts, Some(interval_us)) == Some(expected));
    }

    #[test]
    fn counts_of_any_kind_do_no_harm(counts in vec((any::<u64>(), any::<u64>()), 0..20), interval_us in any::<u64>()) {
        let _ = uncorrected(&counts, Some(interval_us).filter(|interval_us| *interval_us > 0));
    }
}

#[test]
fn no_correction_is_taken_back_where_there_was_none() {
    assert_eq!(expected_interval_us(1_000_000, 7, 8), None, "not a request a connection");
    assert_eq!(expected_interval_us(1_000_000, 20, 8), Some(500_000));
    let counts = [(10, 2), (1000, 1)];
    assert_eq!(uncorrected(&counts, None).map(|latencies| latencies.count()), Some(3));
}

#[test]
fn its_json_is_read_and_every_request_has_its_latency_back() {
    let question = question("workload = \"xhr\"\nconnections = 8");
    for (output, requests) in [(GOOD, 28_942), (SERVER_GONE, 13_521)] {
        let Read { report, latencies } = Wrk.read(&question, output).expect("a report");
        assert_eq!((report.requests, latencies.count()), (requests, requests));
        let recovered = report.recovered.expect("the correction is undone");
        assert_eq!(
            recovered.max_us.map(f64::round),
            report.latency.max_us.map(|max_us| {
                // To three digits.
                let mut one = Distribution::new();
                one.record_ns((max_us * 1e3) as u64);
                (one.max_ns().expect("one") as f64 / 1e3).round()
            })
        );
        assert!(recovered.p99_us < report.latency.p99_us && recovered.mean_us < report.latency.mean_us);
    }
}

#[test]
fn its_errors_are_told_by_name() {
    let report = read(&Wrk, SERVER_GONE).expect("a report");
    assert_eq!(report.errors, [("read".to_owned(), 9), ("write".to_owned(), 17_408)].into());
    let errors = [("HTTP status of 400 or more".to_owned(), 23_565)].into();
    assert_eq!(read(&Wrk, REFUSED), Err(Fault::NoRequests { errors }));
    assert_eq!(read(&Wrk, GOOD).expect("a report").errors, BTreeMap::new());
}

#[test]
fn what_was_cut_off_is_garbage() {
    // But for the last line's end.
    let whole = SERVER_GONE.trim_end();
    for part in cut_off(whole) {
        assert!(matches!(read(&Wrk, &part), Err(Fault::Garbage { .. })), "{} bytes", part.len());
    }
    assert!(read(&Wrk, whole).is_ok());
}

#[test]
fn it_gets_no_more_threads_than_connections_and_whole_seconds() {
    let load = "workload = \"xhr\"\nconnections = 2\ntool = \"wrk\"";
    let question = Question { threads: 3.try_into().expect("not zero"), ..question(load) };
    let words = Wrk.command(&question).expect("a command");
    assert_eq!(words[..4], ["wrk", "--threads=2", "--connections=2", "--duration=2s"]);
}
