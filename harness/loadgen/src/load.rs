use std::fmt::Display;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::broadcast::Broadcast;

/// Drives one server with one load, and prints what it measured as JSON lines.
#[derive(Debug, Clone, PartialEq, Parser, Serialize, Deserialize)]
#[command(name = "loadgen", version)]
pub struct Load {
    /// Address of the server.
    #[arg(long, default_value = "127.0.0.1:9001", global = true)]
    pub target: SocketAddr,

    /// When to count.
    #[command(flatten)]
    pub timing: Timing,

    /// Event loops, each a thread.
    #[arg(long, default_value = "1", global = true)]
    pub threads: NonZeroUsize,

    /// What is asked of the server.
    #[command(subcommand)]
    pub workload: Workload,
}

/// When to count, and when to give up.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
pub struct Timing {
    /// Seconds of load before counting begins.
    #[arg(long, default_value_t = 0.5, global = true)]
    pub warmup_s: f64,

    /// Seconds that are counted.
    #[arg(long, default_value_t = 2.0, global = true)]
    pub seconds: f64,

    /// Seconds that all connections together may take to open, and that the last replies may take to come.
    #[arg(long, default_value_t = 10.0, global = true)]
    pub patience_s: f64,
}

/// What is asked of the server.
#[derive(Debug, Clone, PartialEq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// Each connection sends messages on `WS /ws/echo` and checks each reply byte for byte.
    Echo {
        /// Connections.
        #[arg(long, default_value = "64")]
        connections: NonZeroUsize,
        /// Messages outstanding on each connection.
        #[arg(long, default_value = "1")]
        pipeline: NonZeroUsize,
        /// Length of each message, in bytes.
        #[arg(long, default_value_t = 64)]
        payload_bytes: usize,
        /// Kind of each message.
        #[arg(long, default_value = "text")]
        kind: Kind,
    },
    /// Subscribers on `WS /ws/broadcast` check each delivery of what publishers send by `POST /publish`.
    Broadcast {
        /// Subscribers.
        #[arg(long, default_value = "100")]
        subscribers: NonZeroUsize,
        /// Publishers, each on a keep-alive connection of its own.
        #[arg(long, default_value = "1")]
        publishers: NonZeroUsize,
        /// Length of each publication's data, in bytes: at least the 32 that say what and when it was.
        #[arg(long, default_value_t = 128)]
        payload_bytes: usize,
        /// How publications are timed.
        #[command(flatten)]
        arrivals: Arrivals,
    },
}

/// Closed loop or open loop.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
pub struct Arrivals {
    /// Open loop: publications a second in all, each at its intended time whatever came of those before.
    /// Without it the loop is closed: a publisher sends when its last publication has reached everyone.
    #[arg(long)]
    pub rate: Option<NonZeroU32>,
}

/// Kind of a WebSocket message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
}

/// What a load can be: beyond these something overflows, or no memory is large enough.
const MAX_SECONDS: f64 = 86_400.0;
const MAX_THREADS: usize = 1024;
const MAX_PIPELINE: usize = 1 << 16;
const MAX_PUBLISHERS: usize = 1 << 16;
const MAX_PAYLOAD_BYTES: usize = 1 << 26;

impl Load {
    /// Says what is out of range, if anything is.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Timing { warmup_s, seconds, patience_s } = self.timing;
        within("--warmup-s", warmup_s, 0.0, MAX_SECONDS)?;
        within("--seconds", seconds, 0.001, MAX_SECONDS)?;
        within("--patience-s", patience_s, 0.001, MAX_SECONDS)?;
        within("--threads", self.threads.get(), 1, MAX_THREADS)?;
        match self.workload {
            Workload::Echo { pipeline, payload_bytes, .. } => {
                within("--pipeline", pipeline.get(), 1, MAX_PIPELINE)?;
                within("--payload-bytes", payload_bytes, 0, MAX_PAYLOAD_BYTES)
            }
            Workload::Broadcast { publishers, payload_bytes, .. } => {
                within("--publishers", publishers.get(), 1, MAX_PUBLISHERS)?;
                within("--payload-bytes", payload_bytes, Broadcast::MIN_BYTES, MAX_PAYLOAD_BYTES)
            }
        }
    }
}

impl Workload {
    /// How many connections it opens.
    pub(crate) fn connections(&self) -> usize {
        match *self {
            Self::Echo { connections, .. } => connections.get(),
            Self::Broadcast { subscribers, publishers, .. } => {
                subscribers.get().saturating_add(publishers.get())
            }
        }
    }
}

fn within<T: PartialOrd + Display + Copy>(flag: &str, value: T, least: T, most: T) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("{flag} {value}: expected {least} to {most}"))
    }
}
