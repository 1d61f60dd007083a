use std::num::{NonZeroU32, NonZeroUsize};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rate;

/// What is asked of a server, whichever tool asks it. A `[[load]]` of a profile.
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
    },
    /// `POST /publish` to subscribers on `WS /ws/broadcast`: closed loop, or with a rate open loop.
    Broadcast {
        /// Subscribers.
        subscribers: NonZeroUsize,
        /// Publishers.
        #[serde(default = "one")]
        publishers: NonZeroUsize,
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
    },
    /// Requests of `GET /xhr?count=N` on keep-alive connections, closed loop.
    Xhr {
        /// Connections, each with one request outstanding.
        connections: NonZeroUsize,
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

impl Load {
    /// Names of the workloads, as `--workloads` takes them.
    pub const WORKLOADS: [&str; 6] =
        ["echo", "broadcast", "xhr", "capacity", "echo-limit", "broadcast-limit"];
    /// What a contender can serve: a workload that is no search for a limit. `capacity` promises `PROCESSES`.
    pub const SERVICES: [&str; 4] = ["echo", "broadcast", "xhr", "capacity"];

    /// Name of the workload.
    #[must_use]
    pub fn workload(&self) -> &'static str {
        match self {
            Self::Echo { .. } => "echo",
            Self::Broadcast { .. } => "broadcast",
            Self::Xhr { .. } => "xhr",
            Self::Capacity { .. } => "capacity",
            Self::EchoLimit { .. } => "echo-limit",
            Self::BroadcastLimit { .. } => "broadcast-limit",
        }
    }

    /// What a contender has to serve for it.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.workload().trim_end_matches("-limit")
    }

    /// How many connections a process of the server has to hold, at the least.
    #[must_use]
    pub fn connections(&self) -> usize {
        match self {
            Self::Echo { connections, .. }
            | Self::Xhr { connections }
            | Self::EchoLimit { connections, .. } => connections.get(),
            Self::Broadcast { subscribers, publishers, .. } => {
                subscribers.get().saturating_add(publishers.get())
            }
            // How many these come to is what they find out.
            Self::Capacity { .. } | Self::BroadcastLimit { .. } => 1,
        }
    }

    /// Processes of the server.
    #[must_use]
    pub fn processes(&self) -> NonZeroUsize {
        match self {
            Self::Capacity { processes, .. } => *processes,
            _ => one(),
        }
    }

    /// Does the load generator spin in its open loop?
    #[must_use]
    pub fn spins(&self) -> bool {
        matches!(self, Self::Echo { spin: true, .. } | Self::Broadcast { spin: true, .. })
    }

    /// The rate of an open loop.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        match self {
            Self::Echo { rate, .. } | Self::Broadcast { rate, .. } => *rate,
            Self::BroadcastLimit { rate, .. } => Some(Rate::PerSecond(*rate)),
            Self::Xhr { .. } | Self::Capacity { .. } | Self::EchoLimit { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_is_listed_and_asks_for_a_service_that_is() {
        let loads = [
            "workload = \"echo\"\nconnections = 1\npayload_bytes = 1",
            "workload = \"broadcast\"\nsubscribers = 1\npayload_bytes = 32",
            "workload = \"xhr\"\nconnections = 1",
            "workload = \"capacity\"\nstep = 1\nmax = 1",
            "workload = \"echo-limit\"\nconnections = 1\npayload_bytes = 1",
            "workload = \"broadcast-limit\"\nrate = 1\npayload_bytes = 32",
        ];
        let loads = loads.map(|text| toml::from_str::<Load>(text).expect(text));
        assert_eq!(loads.each_ref().map(Load::workload), Load::WORKLOADS);
        for load in &loads {
            assert!(Load::SERVICES.contains(&load.service()), "{load}");
            let text = serde_json::to_string(load).expect("JSON");
            assert_eq!(serde_json::from_str::<Load>(&text).expect("a load"), *load);
        }
    }
}
