use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::record::{Second, compressed};
use crate::steady::WINDOW_NS;

const SECOND_NS: u64 = 1_000_000_000;

/// Latencies second by second, while they are counted. A second costs some ten kilobytes: two significant
/// digits, and no further up than its latencies go.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Series {
    seconds: Vec<Latencies>,
    /// How many in each window of a length of its own.
    windows: Vec<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Latencies(#[serde(with = "compressed")] Histogram<u32>);

impl Series {
    /// Adds a latency, so long after the measured time's begin.
    pub(crate) fn record(&mut self, after_ns: u64, latency_ns: u64) {
        let (second, window) = ((after_ns / SECOND_NS) as usize, (after_ns / WINDOW_NS) as usize);
        self.extend_to(second + 1, window + 1);
        self.seconds[second].0.record(latency_ns).expect("a histogram that resizes takes any value");
        self.windows[window] += 1;
    }

    /// Adds all of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.extend_to(other.seconds.len(), other.windows.len());
        for (own, other) in self.seconds.iter_mut().zip(&other.seconds) {
            own.0.add(&other.0).expect("a histogram that resizes takes any other");
        }
        for (own, other) in self.windows.iter_mut().zip(&other.windows) {
            *own += other;
        }
    }

    /// The seconds and the windows of so long a time, of which the last ones may have nothing.
    pub(crate) fn over(mut self, time_ns: u64) -> (Vec<Second>, Vec<u64>) {
        self.extend_to(time_ns.div_ceil(SECOND_NS) as usize, time_ns.div_ceil(WINDOW_NS) as usize);
        let second = |Latencies(latencies): &Latencies| {
            let some = |value| (!latencies.is_empty()).then_some(value);
            Second {
                messages: latencies.len(),
                p50_ns: some(latencies.value_at_quantile(0.5)),
                p99_ns: some(latencies.value_at_quantile(0.99)),
                max_ns: some(latencies.max()),
            }
        };
        (self.seconds.iter().map(second).collect(), self.windows)
    }

    fn extend_to(&mut self, seconds: usize, windows: usize) {
        while self.seconds.len() < seconds {
            self.seconds.push(Latencies(Histogram::new(2).expect("two digits are valid")));
        }
        if self.windows.len() < windows {
            self.windows.resize(windows, 0);
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
            other.record(2 * SECOND_NS, 1_000_000_000 * latency_ns);
        }
        other.record(WINDOW_NS, 120);
        one.merge(&other);
        let (seconds, windows) = one.over(4 * SECOND_NS);
        let messages: Vec<_> = seconds.iter().map(|second| second.messages).collect();
        assert_eq!(messages, [101, 0, 100, 0]);
        let per_second = (SECOND_NS / WINDOW_NS) as usize;
        assert_eq!((windows.len(), windows[0], windows[1]), (4 * per_second, 100, 1));
        assert_eq!((windows[2 * per_second], windows.iter().sum()), (100, 201_u64));
        assert_eq!(
            (seconds[0].p50_ns, seconds[0].p99_ns, seconds[0].max_ns),
            (Some(51), Some(100), Some(120))
        );
        assert_eq!((seconds[1].p50_ns, seconds[1].max_ns), (None, None));
        let p99_s = seconds[2].p99_ns.map(|ns| ns as f64 / 1e9).expect("it has messages");
        assert!((p99_s / 99.0 - 1.0).abs() < 0.01, "{p99_s}");
    }
}
