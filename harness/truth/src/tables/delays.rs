use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use loadgen::Distribution;
use truth::Delay;

use super::record::{Record, SHARES, shown_us, us};
use super::verdict::verdict;

/// Delays that were given beside those that are reported: the table, with a verdict on each row.
pub(crate) fn delays(records: &Path) -> Result<String, Box<dyn Error>> {
    let records = Record::read(records)?;
    let mut table = String::from(
        "| loop; load generator | delay, µs | messages | p50, µs | p90, µs | p99, µs | p99.9, µs | against the delay | against delay + round trip |\n\
         |---|---|--:|--:|--:|--:|--:|---|---|\n",
    );
    for record in &records {
        let round_trip = records.iter().find(|other| is_undelayed(other) && other.way() == record.way());
        let round_trip = round_trip.ok_or_else(|| format!("no record without a delay: {}", record.way()))?;
        table.push_str(&row(record, &round_trip.reported.latency));
    }
    Ok(table)
}

fn is_undelayed(record: &Record) -> bool {
    record.given.delay == Delay::Constant(0.0)
}

fn row(record: &Record, round_trip: &Distribution) -> String {
    let Record { given, reported } = record;
    let given_us = SHARES.map(|share| us(&given.delays, share));
    let reported_us = SHARES.map(|share| us(&reported.latency, share));
    let mut row = format!("| {} | {} | {} |", record.way(), given.delay, given.messages());
    for (given, reported) in given_us.iter().zip(reported_us) {
        let more = reported - given;
        let _ = write!(
            row,
            " {} → {} ({}{}",
            shown_us(*given),
            shown_us(reported),
            sign(more),
            shown_us(more.abs())
        );
        // A share of nearly nothing says nothing.
        let _ = if is_undelayed(record) {
            write!(row, ") |")
        } else {
            write!(row, ", {:.2} %) |", more / given * 100.0)
        };
    }
    if is_undelayed(record) {
        return row + " the round trip | |\n";
    }
    let both_us = quantiles_of_sum(&given.delays, round_trip);
    let _ = writeln!(
        row,
        " {} | {} |",
        verdict(&SHARES, &given_us, &reported_us),
        verdict(&SHARES, &both_us, &reported_us)
    );
    row
}

fn sign(number: f64) -> char {
    if number < 0.0 { '−' } else { '+' }
}

/// Percentiles, in µs, of the sum of two independent times: every one of the first with every one of the second.
fn quantiles_of_sum(one: &Distribution, other: &Distribution) -> [f64; 4] {
    let mut sums: Vec<(u64, u64)> = one
        .counts()
        .flat_map(|(a_ns, times)| other.counts().map(move |(b_ns, others)| (a_ns + b_ns, times * others)))
        .collect();
    sums.sort_unstable();
    let all = (one.count() * other.count()) as f64;
    SHARES.map(|share| {
        let mut below = 0;
        let found = sums.iter().find(|(_, times)| {
            below += times;
            below as f64 >= share * all
        });
        found.map_or(0.0, |&(ns, _)| ns as f64 / 1e3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(us: impl IntoIterator<Item = u64>) -> Distribution {
        let mut distribution = Distribution::new();
        us.into_iter().for_each(|us| distribution.record_ns(us * 1000));
        distribution
    }

    #[test]
    fn the_sum_of_two_times_has_the_percentiles_of_all_pairs() {
        let one = distribution((0..10).map(|number| if number == 0 { 10_000 } else { 1000 }));
        let other = distribution([40; 100]);
        for (found, expected) in
            quantiles_of_sum(&one, &other).iter().zip([1040.0, 1040.0, 10_040.0, 10_040.0])
        {
            // The histograms keep three digits.
            assert!((found / expected - 1.0).abs() < 0.001, "{found} of {expected}");
        }
        let even = distribution(1..=1000);
        let p50 = quantiles_of_sum(&even, &even)[0];
        assert!((p50 / 1000.0 - 1.0).abs() < 0.005, "{p50}");
    }
}
