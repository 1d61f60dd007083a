use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FeedTransport, Rate, Subscription, ToolName, Transport};

/// What is asked of a server, and by which tool.
#[derive(Debug, Clone, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "workload", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Load {
    /// Messages on `WS /ws/echo`: closed loop, or with a rate open loop.
    Echo {
        /// Connections.
        connections: NonZeroUsize,
        /// Closed loop: messages outstanding on each connection.
        #[serde(default = "one")]
        pipeline: NonZeroUsize,
        /// Length of a message.
        payload_bytes: usize,
        /// Kind of a message.
        #[serde(default)]
        kind: Kind,
        /// Messages of all connections together, open loop; without it each follows the reply to the one before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<Rate>,
        /// How the messages of an open loop follow one another.
        #[serde(default, skip_serializing_if = "is_default")]
        arrivals: Arrivals,
        /// Open loop: the load generator spins in place of sleeping, to send at the very time.
        #[serde(default, skip_serializing_if = "is_default")]
        spin: bool,
        /// The load generator.
        #[serde(default, skip_serializing_if = "is_default")]
        tool: ToolName,
    },
    /// `POST /publish` to subscribers: closed loop, or with a rate open loop.
    Broadcast {
        /// Subscribers.
        subscribers: NonZeroUsize,
        /// Publishers.
        #[serde(default = "one")]
        publishers: NonZeroUsize,
        /// What subscribers subscribe by.
        #[serde(default, skip_serializing_if = "is_default")]
        transport: Subscription,
        /// Length of a publication's data.
        payload_bytes: usize,
        /// Publications, open loop; without it each waits until the one before has reached all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<Rate>,
        /// How the publications of an open loop follow one another.
        #[serde(default, skip_serializing_if = "is_default")]
        arrivals: Arrivals,
        /// Open loop: the load generator spins in place of sleeping, to send at the very time.
        #[serde(default, skip_serializing_if = "is_default")]
        spin: bool,
        /// The load generator.
        #[serde(default, skip_serializing_if = "is_default")]
        tool: ToolName,
    },
    /// A broadcast whose subscribers are its publishers, in turn: closed loop, or with a rate open loop.
    Chat {
        /// Clients.
        clients: NonZeroUsize,
        /// What they subscribe by. By WebSocket they publish on the same socket, otherwise by `POST /publish`.
        #[serde(default, skip_serializing_if = "is_default")]
        transport: Subscription,
        /// Length of a publication's data.
        payload_bytes: usize,
        /// Publications of all together, open loop; without it each waits until its last one has reached all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<Rate>,
        /// How the publications of an open loop follow one another.
        #[serde(default, skip_serializing_if = "is_default")]
        arrivals: Arrivals,
    },
    /// The feed of 500 items, fetched again and again, closed loop.
    Feed {
        /// Clients, each with one fetch outstanding.
        clients: NonZeroUsize,
        /// What brings the items.
        transport: FeedTransport,
    },
    /// Requests of `GET /xhr?count=N` on keep-alive connections, closed loop.
    Xhr {
        /// Connections, each with one request outstanding.
        connections: NonZeroUsize,
        /// Requests after which it ends, in place of the profile's seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requests: Option<NonZeroU64>,
        /// Workers of the server, in place of one a core.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workers: Option<NonZeroUsize>,
        /// The load generator.
        #[serde(default, skip_serializing_if = "is_default")]
        tool: ToolName,
    },
    /// Each client counts from N down to 0, one request at a time, again and again, closed loop.
    Countdown {
        /// Clients.
        clients: NonZeroUsize,
        /// Where each countdown begins.
        from: NonZeroU64,
        /// `GET /xhr?count=N` on keep-alive connections, or `WS /ws/countdown`.
        transport: Transport,
        /// The load generator.
        #[serde(default, skip_serializing_if = "is_default")]
        tool: ToolName,
    },
    /// Connections are opened, have messages echoed (or requests answered) and are closed, and others follow, closed loop.
    Connect {
        /// Connections that are there at a time.
        connections: NonZeroUsize,
        /// Messages of each connection.
        #[serde(default = "one_message")]
        messages: NonZeroU32,
        /// What each connection becomes.
        transport: Transport,
        /// All are opened at once, and once: they are kept, and have messages answered.
        #[serde(default, skip_serializing_if = "is_default")]
        storm: bool,
    },
    /// Connections on `WS /ws/echo` are added step by step until the server holds no more of them.
    Capacity {
        /// Connections added at each step.
        step: NonZeroUsize,
        /// Connections at which it ends.
        max: NonZeroUsize,
        /// What the 99th percentile of the echo sweep after each step may be, in ms.
        #[serde(default = "second_ms")]
        limit_ms: NonZeroU32,
        /// Processes of the server, since each may have so many open files and no more.
        #[serde(default = "one")]
        processes: NonZeroUsize,
    },
    /// The highest rate of an echo in open loop that a server keeps up with, searched for on each server anew.
    EchoLimit {
        /// Connections.
        connections: NonZeroUsize,
        /// Length of a message.
        payload_bytes: usize,
        /// What the 99th percentile of the latency may be, in ms.
        #[serde(default = "ten_ms")]
        until_p99_ms: NonZeroU32,
    },
    /// The largest number of subscribers that a server keeps up with at a fixed rate of publications.
    BroadcastLimit {
        /// Publications a second.
        rate: NonZeroU32,
        /// Length of a publication's data.
        payload_bytes: usize,
        /// What the 99th percentile of the delivery latency may be, in ms.
        #[serde(default = "half_second_ms")]
        until_p99_ms: NonZeroU32,
    },
}

/// Kind of a WebSocket message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// UTF-8 text.
    #[default]
    Text,
    /// Bytes.
    Binary,
}

/// How the intended times of an open loop follow one another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// At constant intervals.
    #[default]
    Constant,
    /// At random, independent of one another, as from many users; the run's seed and the round give the times.
    Poisson,
}

const fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

const fn one_message() -> NonZeroU32 {
    NonZeroU32::MIN
}

const fn ms(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).expect("not zero")
}

const fn ten_ms() -> NonZeroU32 {
    ms(10)
}

const fn half_second_ms() -> NonZeroU32 {
    ms(500)
}

const fn second_ms() -> NonZeroU32 {
    ms(1000)
}

/// Results of runs that did not know of a field read as they did.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
