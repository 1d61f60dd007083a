use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::record::{Second, compressed};

/// Latencies second by second, while they are counted. A second costs some ten kilobytes: two significant
/// digits, and no further up than its latencies go.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Series(Vec<Latencies>);

#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Latencies(#[serde(with = "compressed")] Histogram<u32>);

impl Series {
    /// Adds a latency in the second with this number.
    pub(crate) fn record(&mut self, second: usize, latency_ns: u64) {
        self.extend_to(second + 1);
        self.0[second].0.record(latency_ns).expect("a histogram that resizes takes any value");
    }

    /// Adds all of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.extend_to(other.0.len());
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            own.0.add(&other.0).expect("a histogram that resizes takes any other");
        }
    }

    /// So many seconds, of which the last ones may have nothing.
    pub(crate) fn seconds(mut self, count: usize) -> Vec<Second> {
        self.extend_to(count);
        let second = |Latencies(latencies): &Latencies| {
            let some = |value| (!latencies.is_empty()).then_some(value);
            Second {
                messages: latencies.len(),
                p50_ns: some(latencies.value_at_quantile(0.5)),
                p99_ns: some(latencies.value_at_quantile(0.99)),
                max_ns: some(latencies.max()),
            }
        };
        self.0.iter().map(second).collect()
    }

    fn extend_to(&mut self, count: usize) {
        while self.0.len() < count {
            self.0.push(Latencies(Histogram::new(2).expect("two digits are valid")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_kept_apart_and_merged_by_their_number() {
        let (mut one, mut other) = (Series::default(), Series::default());
        for latency_ns in 1..=100 {
            one.record(0, latency_ns);
            other.record(2, 1_000_000_000 * latency_ns);
        }
        other.record(0, 120);
        one.merge(&other);
        let seconds = one.seconds(4);
        let messages: Vec<_> = seconds.iter().map(|second| second.messages).collect();
        assert_eq!(messages, [101, 0, 100, 0]);
        assert_eq!(
            (seconds[0].p50_ns, seconds[0].p99_ns, seconds[0].max_ns),
            (Some(51), Some(100), Some(120))
        );
        assert_eq!((seconds[1].p50_ns, seconds[1].max_ns), (None, None));
        let p99_s = seconds[2].p99_ns.map(|ns| ns as f64 / 1e9).expect("it has messages");
        assert!((p99_s / 99.0 - 1.0).abs() < 0.01, "{p99_s}");
    }
}
