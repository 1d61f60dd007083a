use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de, ser};

use crate::steady::WINDOW_NS;
use crate::{Capacity, Load, Step, Wire};

/// One line of standard output.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A phase begins.
    Phase(Phase),
    /// Capacity only: a step has been taken, the one that ended it included.
    Step(Box<Step>),
    /// The last line.
    Measurement(Box<Measurement>),
}

/// The phases of a load, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Connections are opened.
    Connect,
    /// All connections are open. After the time to settle, load that is not counted.
    Warmup,
    /// Load, counted.
    Measure,
    /// Nothing new is sent; what is still out is waited for.
    Drain,
}

/// What one load measured. Counts and distributions are of the measured time alone.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
pub struct Measurement {
    /// Version of the load generator.
    pub version: String,
    /// Its event engine.
    pub engine: String,
    /// The load, as asked for.
    pub load: Load,
    /// Length of the measured time, in seconds, by the generator's monotonic clock. Less than was asked for
    /// if all connections were lost; 0 if that was before it began.
    pub seconds: f64,
    /// The load before the measured time; `None` in what older versions measured.
    #[serde(default)]
    pub warmup: Option<Warmup>,
    /// Connections to the workload's path.
    pub connections: Connections,
    /// Messages sent in the measured time, in an open loop those meant to be: echo messages, publications, requests.
    /// A countdown's steps are requests.
    pub sent: u64,
    /// Correct replies (echo), deliveries (broadcast) or answers (xhr) that arrived in the measured time.
    pub messages: u64,
    /// What went wrong, at any time after connecting, by cause. Empty if all went well.
    pub errors: BTreeMap<String, u64>,
    /// From a message's sending (open loop: its intended sending) to its reply or delivery. Of a broadcast and of an
    /// open loop: of the messages that were meant to be sent in the measured time, the replies in the drain
    /// too, since to leave out the late ones would flatter.
    pub latency: Distribution,
    /// From the start of `connect` to the checked answer to the upgrade, or to the first request of a subscriber by SSE or
    /// long polling; of others over HTTP, who have neither, to its end. Where connections are opened again and again, of those
    /// that opened in the measured time.
    pub connect: Distribution,
    /// A storm of connections only: from the start of the first `connect` to the moment when the last that opened was open, in ns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_open_ns: Option<u64>,
    /// What went over the connections; `None` in what older versions measured, and of capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<Wire>,
    /// Broadcast only.
    pub delivery: Option<Delivery>,
    /// Capacity only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// Echo in open loop only: from a message's actual sending to its reply, of the same messages as `latency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Distribution>,
    /// Open loop only: from the intended to the actual sending, of the messages that were meant to be sent in the
    /// measured time: how late the generator was, by itself or because the server took no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lateness: Option<Distribution>,
    /// Countdown only: from a countdown's first request to its last answer, of those that were begun in the measured time and
    /// finished until the end of the drain. One that was not finished is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Distribution>,
    /// Each second of the measured time, of which the last may be in part. Its `messages` add up to those above.
    #[serde(default)]
    pub series: Vec<Second>,
    /// Correct replies, deliveries or answers in each [`WINDOW_MS`](Self::WINDOW_MS) of the measured time, likewise.
    #[serde(default)]
    pub windows: Vec<u64>,
    /// CPU time of the generator in the measured time, in µs.
    pub cpu_us: f64,
}

impl Measurement {
    /// Length of each of the [`windows`](Self::windows), in ms.
    pub const WINDOW_MS: u64 = WINDOW_NS / 1_000_000;
}

/// The load before the measured time.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Warmup {
    /// How long it lasted, in seconds.
    pub seconds: f64,
    /// Was the load steady at its end, by MSER (`src/steady.rs`)? `None`: it lasted for a fixed time and was not judged.
    pub steady: Option<bool>,
}

/// One second of the measured time: what arrived in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Second {
    /// Correct replies or deliveries.
    pub messages: u64,
    /// Median of their latencies, in ns, to one per cent; `None` if there are none.
    pub p50_ns: Option<u64>,
    /// 99th percentile of them, likewise.
    pub p99_ns: Option<u64>,
    /// Largest of them, likewise.
    pub max_ns: Option<u64>,
}

/// What became of the connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Connections {
    /// Asked for.
    pub asked: u64,
    /// Opened, with a correct upgrade.
    pub established: u64,
    /// Not opened, by cause.
    pub failed: BTreeMap<String, u64>,
    /// Opened, and lost before the end.
    pub lost: u64,
}

/// Did every publication of the measured time reach every subscriber, once and in order?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Delivery {
    /// Publications sent in the measured time.
    pub publications: u64,
    /// Deliveries that those ask for: publications × subscribers.
    pub expected: u64,
    /// Those of them that arrived, once each, until the end of the drain.
    pub received: u64,
    /// Deliveries that arrived again.
    pub duplicates: u64,
    /// Deliveries that arrived after a later one.
    pub out_of_order: u64,
}

impl Delivery {
    /// Received ÷ expected; 1 when all arrived. `None` if nothing was expected.
    #[must_use]
    pub fn reach(&self) -> Option<f64> {
        (self.expected > 0).then(|| self.received as f64 / self.expected as f64)
    }
}

/// A distribution of durations in nanoseconds: an HDR histogram of three significant digits, so that
/// any percentile can be read later and results can be merged. It takes memory as far up as its durations go:
/// 16 KiB at first, 256 KiB with one of an hour. In JSON it is the V2 compressed form of HdrHistogram in
/// base64, which every implementation of it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution(Histogram<u64>);

impl Distribution {
    const MAX_NS: u64 = 3_600_000_000_000;

    /// An empty one, from 1 ns to one hour.
    #[must_use]
    pub fn new() -> Self {
        Self(Histogram::new(3).expect("three digits are valid"))
    }

    /// Adds a duration; one beyond the hour counts as an hour.
    pub fn record_ns(&mut self, duration_ns: u64) {
        self.0.record(duration_ns.min(Self::MAX_NS)).expect("a histogram that resizes takes any value");
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("a histogram that resizes takes any other");
    }

    /// The histogram itself, of nanoseconds.
    #[must_use]
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }

    /// How many durations were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The duration below or at which `share` (0 to 1) of all lie, in ns; `None` if there are none.
    #[must_use]
    pub fn quantile_ns(&self, share: f64) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(share))
    }

    /// Which share of all, 0 to 1, lasted no longer than this, to three digits of it; `None` if there are none.
    #[must_use]
    pub fn share_until_ns(&self, duration_ns: u64) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.quantile_below(duration_ns))
    }

    /// The smallest, in ns.
    #[must_use]
    pub fn min_ns(&self) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.min())
    }

    /// The largest, in ns.
    #[must_use]
    pub fn max_ns(&self) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.max())
    }

    /// The durations that were recorded, to the histogram's resolution, in ns, each with how often: the smallest first.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()))
    }

    /// The mean, in ns.
    #[must_use]
    pub fn mean_ns(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.mean())
    }
}

impl Default for Distribution {
    fn default() -> Self {
        Self::new()
    }
}

/// A histogram in JSON: the V2 compressed form of HdrHistogram, in base64.
pub(crate) mod compressed {
    use hdrhistogram::Counter;

    use super::*;

    pub(crate) fn serialize<T: Counter, S: ser::Serializer>(
        histogram: &Histogram<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(histogram, &mut bytes).map_err(ser::Error::custom)?;
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, T: Counter, D: de::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Histogram<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(de::Error::custom)?;
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(de::Error::custom)
    }
}

impl Serialize for Distribution {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        compressed::serialize(&self.0, serializer)
    }
}

impl JsonSchema for Distribution {
    fn schema_name() -> Cow<'static, str> {
        "Distribution".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A distribution of durations in nanoseconds: an HDR histogram of three significant digits in the V2 \
                compressed form of HdrHistogram (a cookie, a length and a zlib stream), in base64.",
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^[A-Za-z0-9+/]+={0,2}$",
        })
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read: Histogram<u64> = compressed::deserialize(deserializer)?;
        // Added to one of our own, so that all distributions can be merged.
        let mut own = Self::new();
        own.0.add(&read).map_err(de::Error::custom)?;
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn of(durations_ns: &[u64]) -> Distribution {
        let mut distribution = Distribution::new();
        durations_ns.iter().for_each(|&duration_ns| distribution.record_ns(duration_ns));
        distribution
    }

    fn any_durations() -> impl Strategy<Value = Vec<u64>> {
        vec(prop_oneof![0u64..1000, 0u64..1 << 30, any::<u64>()], 0..20)
    }

    #[test]
    fn what_is_beyond_the_hour_counts_as_an_hour() {
        let max_ns = of(&[u64::MAX]).max_ns().expect("it has one");
        assert!((max_ns as f64 / Distribution::MAX_NS as f64 - 1.0).abs() < 0.001, "{max_ns}");
    }

    proptest! {
        #[test]
        fn merging_and_reading_back_lose_nothing(one in any_durations(), other in any_durations()) {
            let mut merged = of(&one);
            merged.merge(&of(&other));
            let whole = of(&[one, other].concat());
            prop_assert_eq!(&merged, &whole);
            let json = serde_json::to_string(&whole).expect("JSON");
            prop_assert_eq!(&serde_json::from_str::<Distribution>(&json).expect("a distribution"), &whole);
        }

        #[test]
        fn one_with_bounds_that_were_fixed_reads_as_before(durations in any_durations()) {
            let mut fixed = Histogram::new_with_max(Distribution::MAX_NS, 3).expect("valid bounds");
            durations.iter().for_each(|&duration_ns| fixed.saturating_record(duration_ns));
            let json = serde_json::to_string(&Distribution(fixed)).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Distribution>(&json).expect("a distribution"), of(&durations));
        }
    }
}
