use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize, de, ser};

use crate::Load;

/// One line of standard output.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A phase begins.
    Phase(Phase),
    /// The last line.
    Measurement(Box<Measurement>),
}

/// The phases of a load, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Connections are opened.
    Connect,
    /// Load, not counted.
    Warmup,
    /// Load, counted.
    Measure,
    /// Nothing new is sent; what is still out is waited for.
    Drain,
}

/// What one load measured. Counts and distributions are of the measured time alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// Connections to the workload's path.
    pub connections: Connections,
    /// Messages sent in the measured time: echo messages, or publications.
    pub sent: u64,
    /// Correct replies (echo) or deliveries (broadcast) in the measured time.
    pub messages: u64,
    /// What went wrong, at any time after connecting, by cause. Empty if all went well.
    pub errors: BTreeMap<String, u64>,
    /// From a message's sending (open loop: its intended sending) to its reply or delivery. Of a broadcast:
    /// all deliveries of the publications that were meant to be sent in the measured time, those in the drain
    /// too, since to leave out the late ones would flatter.
    pub latency: Distribution,
    /// From the start of `connect` to the checked answer to the upgrade.
    pub connect: Distribution,
    /// Broadcast only.
    pub delivery: Option<Delivery>,
    /// CPU time of the generator in the measured time, in µs.
    pub cpu_us: f64,
}

/// What became of the connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
/// any percentile can be read later and results can be merged. In JSON it is the V2 compressed form of
/// HdrHistogram in base64, which every implementation of it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution(Histogram<u64>);

impl Distribution {
    const MAX_NS: u64 = 3_600_000_000_000;

    /// An empty one, from 1 ns to one hour.
    #[must_use]
    pub fn new() -> Self {
        Self(Histogram::new_with_max(Self::MAX_NS, 3).expect("one hour and three digits are valid bounds"))
    }

    /// Adds a duration; one beyond the hour counts as an hour.
    pub fn record_ns(&mut self, duration_ns: u64) {
        self.0.saturating_record(duration_ns);
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all distributions have the same bounds");
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

impl Serialize for Distribution {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&self.0, &mut bytes).map_err(ser::Error::custom)?;
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(de::Error::custom)?;
        let read: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(de::Error::custom)?;
        // Added to one with our bounds, so that all distributions can be merged.
        let mut own = Self::new();
        own.0.add(&read).map_err(de::Error::custom)?;
        Ok(own)
    }
}
