use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use super::record::{Record, SHARES, shown_us, us};
use super::verdict::verdict;

const SECOND_US: f64 = 1e6;

/// What a server that stalls once a second does to those who come at any time, beside what either loop says of it.
pub(crate) fn stalls(records: &Path) -> Result<String, Box<dyn Error>> {
    let mut table = String::from(
        "| loop; load generator | stalls | messages | mean, µs | p50, µs | p90, µs | p99, µs | p99.9, µs | p99 against the wait |\n\
         |---|---|--:|--:|--:|--:|--:|--:|---|\n",
    );
    for record in Record::read(records)? {
        let Record { given, reported } = &record;
        let stall_us = given.stalled_us / given.stalls as f64;
        let waits_us = SHARES.map(|share| wait_us(stall_us, share));
        let reported_us = SHARES.map(|share| us(&reported.latency, share));
        let mean_us = reported.latency.mean_ns().unwrap_or(0.0) / 1e3;
        let messages = reported.latency.count();
        let _ =
            write!(table, "| {} | {} × {} µs | {messages} |", record.way(), given.stalls, shown_us(stall_us));
        let truths = [&[mean_wait_us(stall_us)], waits_us.as_slice()].concat();
        for (truth, reported) in truths.iter().zip([&[mean_us], reported_us.as_slice()].concat()) {
            let _ = write!(table, " {} → {} |", shown_us(*truth), shown_us(reported));
        }
        let _ = writeln!(table, " {} |", verdict(&[0.99], &waits_us[2..3], &reported_us[2..3]));
    }
    Ok(table)
}

/// What `share` of those who come at any time wait at most for a stall of this length once a second: whoever comes within
/// it waits for its end.
fn wait_us(stall_us: f64, share: f64) -> f64 {
    (stall_us - (1.0 - share) * SECOND_US).max(0.0)
}

/// What they wait on average.
fn mean_wait_us(stall_us: f64) -> f64 {
    stall_us * stall_us / 2.0 / SECOND_US
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_for_a_stall_is_that_of_those_who_come_every_millisecond() {
        let mut waits_us: Vec<f64> = (0..1000).map(|ms| (200e3 - f64::from(ms) * 1e3).max(0.0)).collect();
        let mean_us = waits_us.iter().sum::<f64>() / 1000.0;
        assert!((mean_wait_us(200e3) / mean_us - 1.0).abs() < 0.01);
        waits_us.sort_by(f64::total_cmp);
        for share in SHARES {
            let of_these = waits_us[(share * 1000.0) as usize - 1];
            assert!((wait_us(200e3, share) - of_these).abs() <= 1000.0, "{share}");
        }
    }
}
