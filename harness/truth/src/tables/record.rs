use std::error::Error;
use std::fs;
use std::path::Path;

use loadgen::{Distribution, Event, Measurement, Workload};
use serde::Deserialize;
use truth::Given;

/// One run of the load generator against the server: one line of a file of records.
#[derive(Deserialize)]
struct Line {
    given: Given,
    /// The load generator's last line.
    reported: Event,
}

/// What the server gave, and what the load generator says of it.
pub(crate) struct Record {
    pub(crate) given: Given,
    pub(crate) reported: Measurement,
}

/// Percentiles, as shares.
pub(crate) const SHARES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

impl Record {
    /// All of a file.
    pub(crate) fn read(path: &Path) -> Result<Vec<Self>, Box<dyn Error>> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
        let record = |(number, line): (usize, &str)| {
            let malformed =
                |error: String| format!("malformed line {} of {}: {error}", number + 1, path.display());
            let Line { given, reported } =
                serde_json::from_str(line).map_err(|e| malformed(e.to_string()))?;
            let Event::Measurement(reported) = reported else {
                return Err(malformed("no measurement".into()).into());
            };
            if !reported.errors.is_empty() {
                return Err(malformed(format!("the load had errors: {:?}", reported.errors)).into());
            }
            Ok(Self { given, reported: *reported })
        };
        text.lines().enumerate().map(record).collect()
    }

    /// The loop, and how the load generator waited.
    pub(crate) fn way(&self) -> String {
        let rate = match &self.reported.load.workload {
            Workload::Echo { arrivals, .. } => arrivals.rate,
            _ => None,
        };
        let pace = rate.map_or("closed".to_owned(), |rate| format!("open, {rate}/s"));
        let waiting = if self.reported.load.spin { "spinning" } else { "sleeping" };
        format!("{pace}; {waiting}")
    }
}

/// A percentile in µs; 0 of nothing.
pub(crate) fn us(distribution: &Distribution, share: f64) -> f64 {
    distribution.quantile_ns(share).unwrap_or(0) as f64 / 1e3
}

/// A time in µs: to a tenth below a hundred, whole above, with thousands apart.
pub(crate) fn shown_us(us: f64) -> String {
    if us.abs() < 100.0 {
        return format!("{us:.1}");
    }
    let digits = format!("{us:.0}");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap_or_default()).collect();
    format!("{sign}{}", groups.join(","))
}

#[cfg(test)]
mod tests {
    use super::shown_us;

    #[test]
    fn times_are_shown_to_what_they_are_good_for() {
        assert_eq!([0.04, 99.9, 1234.4, -1_234_567.0].map(shown_us), ["0.0", "99.9", "1,234", "-1,234,567"]);
    }
}
