mod distribution;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use distribution::Distribution;
pub(crate) use distribution::compressed;

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
    /// All connections are open. After the time to settle, their past (`stagger_bytes`), and then load that is not counted.
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
    /// Correct replies (echo), deliveries (broadcast, chat), feeds or answers (xhr) that arrived in the measured time.
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
    /// Broadcast and chat only.
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
    /// Feed only: from a request to the end of the first item, of the same feeds as `latency`, which is to the end of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_item: Option<Distribution>,
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
