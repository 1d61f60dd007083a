mod check;
mod engine;
mod fan_out;
mod feed;
mod subscription;
mod transport;
mod workload;

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use clap::{Args, Parser, Subcommand, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use check::MAX_THREADS;
pub use engine::Engine;
pub use fan_out::ChatPlan;
pub(crate) use fan_out::FanOut;
pub use feed::{FeedPlan, FeedTransport};
pub use subscription::Subscription;
pub use transport::Transport;

use crate::engine::nanoseconds;

/// Drives one server with one load, and prints what it measured as JSON lines.
#[derive(Debug, Clone, PartialEq, Parser, JsonSchema, Serialize, Deserialize)]
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

    /// How the event loops reach their sockets.
    #[arg(long, default_value_t, global = true)]
    #[serde(default, skip_serializing_if = "is_default")]
    pub engine: Engine,

    /// Spin instead of sleeping while nothing is to be done: an open loop then sends within about a microsecond of
    /// its times. It takes all of each loop's core, so the CPU time says nothing of the load any more.
    #[arg(long, global = true)]
    #[serde(default, skip_serializing_if = "is_default")]
    pub spin: bool,

    /// Spin for so many microseconds before a message of an open loop is due, and sleep until then: what a sleeper is
    /// late by is how long the kernel takes to wake it. The CPU time is that of the load and of the spinning.
    #[arg(long, value_name = "US", default_value_t = 0, global = true, conflicts_with = "spin")]
    #[serde(default, skip_serializing_if = "is_default")]
    pub spin_us: u32,

    /// How connections are opened.
    #[command(flatten)]
    #[serde(default, skip_serializing_if = "is_default")]
    pub connecting: Connecting,

    /// What is asked of the server.
    #[command(subcommand)]
    pub workload: Workload,
}

/// How connections are opened, and by how many processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args, JsonSchema, Serialize, Deserialize)]
pub struct Connecting {
    /// Connections begun a second, by all together; 0: as fast as they open, 256 of each loop at a time.
    #[arg(long, default_value_t = 0, global = true)]
    pub ramp: u32,

    /// Processes that hold the connections, each with as many threads; by default as many as the limit of
    /// open files asks for. Not for a broadcast, which is of one process: it starts more threads instead.
    #[arg(long, global = true)]
    pub processes: Option<NonZeroUsize>,
}

/// When to count, and when to give up.
#[derive(Debug, Clone, PartialEq, Args, JsonSchema, Serialize, Deserialize)]
pub struct Timing {
    /// Seconds of load before counting begins.
    #[arg(long, default_value_t = 0.5, global = true)]
    pub warmup_s: f64,

    /// Seconds after which counting begins though the load is not steady, if more than --warmup-s: it then begins
    /// as soon as the load is steady after these. For closed loops of one process; others warm up for --warmup-s.
    #[arg(long, default_value_t = 0.0, global = true)]
    #[serde(default, skip_serializing_if = "is_default")]
    pub warmup_max_s: f64,

    /// Seconds that are counted.
    #[arg(long, default_value_t = 2.0, global = true)]
    pub seconds: f64,

    /// Seconds in which all connections are open and nothing is sent, behind the announcement of the warm-up, and once more after the last reply: so that others can read what the processes hold.
    #[arg(long, default_value_t = 0.0, global = true)]
    #[serde(default, skip_serializing_if = "is_default")]
    pub settle_s: f64,

    /// Seconds that all connections together may take to open, and that the last replies may take to come.
    #[arg(long, default_value_t = 10.0, global = true)]
    pub patience_s: f64,
}

/// What is asked of the server.
#[derive(Debug, Clone, PartialEq, Subcommand, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// Each connection sends messages on `WS /ws/echo` and checks each reply byte for byte.
    Echo {
        /// Connections.
        #[arg(long, default_value = "64")]
        connections: NonZeroUsize,
        /// Closed loop: messages outstanding on each connection. In an open loop there are as many as there are
        /// unanswered, up to 4,096; what comes due beyond them is sent late, and counted so.
        #[arg(long, default_value = "1")]
        pipeline: NonZeroUsize,
        /// Closed loop: messages of each connection. When all have been answered the load ends, before its time is over.
        #[arg(long)]
        #[serde(default, skip_serializing_if = "is_default")]
        messages: Option<NonZeroU64>,
        /// Length of each message, in bytes.
        #[arg(long, default_value_t = 64)]
        payload_bytes: usize,
        /// Kind of each message.
        #[arg(long, default_value = "text")]
        kind: Kind,
        /// Between its opening and the load each connection has a random number of bytes up to this echoed, checked and
        /// not counted, so that what a server does every so many bytes of a connection it does not do for all
        /// at once.
        #[arg(long, default_value_t = 0)]
        #[serde(default, skip_serializing_if = "is_default")]
        stagger_bytes: usize,
        /// How messages are timed.
        #[command(flatten)]
        #[serde(default, skip_serializing_if = "is_default")]
        arrivals: Arrivals,
    },
    /// Subscribers check each delivery of what publishers send by `POST /publish`.
    Broadcast {
        /// Subscribers.
        #[arg(long, default_value = "100")]
        subscribers: NonZeroUsize,
        /// Publishers, each on a keep-alive connection of its own.
        #[arg(long, default_value = "1")]
        publishers: NonZeroUsize,
        /// What subscribers subscribe by.
        #[arg(long, default_value = "websocket")]
        #[serde(default, skip_serializing_if = "is_default")]
        transport: Subscription,
        /// Length of each publication's data, in bytes: at least the 32 that say what and when it was.
        #[arg(long, default_value_t = 128)]
        payload_bytes: usize,
        /// How publications are timed.
        #[command(flatten)]
        arrivals: Arrivals,
    },
    /// Each client checks each delivery of what all of them publish in turn: a broadcast whose publishers are its subscribers.
    Chat(ChatPlan),
    /// Each client fetches the feed of 500 items again and again, and checks each byte.
    Feed(FeedPlan),
    /// Connections on `WS /ws/echo` are added in steps; after each step every connection has one message echoed.
    /// It ends when the server holds no more, or is too slow. The patience is that of a step, and of a sweep.
    Capacity(CapacityPlan),
    /// Each connection asks `GET /xhr?count=N` again and again, with an N of its own, and checks each answer.
    Xhr {
        /// Keep-alive connections, each with one request outstanding.
        #[arg(long, default_value = "64")]
        connections: NonZeroUsize,
    },
    /// Each client counts from N down to 0, a request at a time, again and again, and checks each answer.
    Countdown {
        /// Clients.
        #[arg(long, default_value = "1")]
        clients: NonZeroUsize,
        /// Where each countdown begins. One that is under way when the time is over is finished, if the patience allows it.
        #[arg(long, default_value = "100")]
        from: NonZeroU64,
        /// `GET /xhr?count=N` on keep-alive connections, or `WS /ws/countdown`.
        #[arg(long, default_value = "websocket")]
        transport: Transport,
    },
    /// Connections are opened, have some messages echoed on `WS /ws/echo` (or requests of `GET /xhr?count=N` answered), are
    /// closed by the closing handshake, and others take their places.
    Connect {
        /// Places, each taken by one connection after the other.
        #[arg(long, default_value = "64")]
        connections: NonZeroUsize,
        /// Messages of each connection, one at a time.
        #[arg(long, default_value = "1")]
        messages: NonZeroU32,
        /// What each connection becomes.
        #[arg(long, default_value = "websocket")]
        transport: Transport,
        /// All at once, and once: each is then kept, and has messages answered until the time is over.
        #[arg(long, conflicts_with = "messages")]
        #[serde(default, skip_serializing_if = "is_default")]
        storm: bool,
    },
}

/// Connections that are added step by step, to find how many a server holds.
#[derive(Debug, Clone, PartialEq, Args, JsonSchema, Serialize, Deserialize)]
pub struct CapacityPlan {
    /// Connections added at each step.
    #[arg(long, default_value = "10000")]
    pub step: NonZeroUsize,
    /// Connections at which it ends.
    #[arg(long, default_value = "100000")]
    pub max: NonZeroUsize,
    /// What the 99th percentile of a sweep's latencies may be, in ms.
    #[arg(long, default_value_t = 1000.0)]
    pub limit_ms: f64,
    /// Messages of a sweep that are outstanding at a time, at least one a process.
    #[arg(long, default_value = "256")]
    pub outstanding: NonZeroUsize,
    /// Processes of the server, whose memory is to be read.
    #[arg(long, value_delimiter = ',')]
    pub server_pids: Vec<u32>,
}

/// Closed loop or open loop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Args, JsonSchema, Serialize, Deserialize)]
pub struct Arrivals {
    /// Open loop: messages (echo) or publications (broadcast) a second in all, each at its intended time whatever
    /// came of those before. Without it the loop is closed: a message follows the reply to the last one, and a
    /// publication follows when the last one of its publisher has reached everyone.
    #[arg(long)]
    pub rate: Option<NonZeroU32>,

    /// How the intended times of an open loop follow one another.
    #[arg(long = "arrivals", value_name = "PROCESS", default_value = "constant")]
    #[serde(default, skip_serializing_if = "is_default")]
    pub process: Process,

    /// Seed of a Poisson process: the same one gives the same times.
    #[arg(long, default_value_t = 0)]
    #[serde(default, skip_serializing_if = "is_default")]
    pub seed: u64,
}

/// Arrival process of an open loop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// At constant intervals, from the connections in turn.
    #[default]
    Constant,
    /// At random times, independent of one another: what many users do who know nothing of each other.
    Poisson,
}

/// Kind of a WebSocket message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
}

impl Load {
    /// For how long before a message is due nothing sleeps.
    pub(crate) fn spin_ns(&self) -> u64 {
        if self.spin { u64::MAX } else { u64::from(self.spin_us) * 1000 }
    }

    /// What the connections' past may take, in seconds, see `stagger_bytes`: a minute for one that is answered slowly, and for many
    /// as much as a server takes that answers 6,400 messages a second.
    #[must_use]
    pub fn prepare_s(&self) -> f64 {
        match self.workload {
            Workload::Echo { connections, stagger_bytes: 1.., .. } => 60.0 + connections.get() as f64 * 0.02,
            _ => 0.0,
        }
    }

    /// What opening all connections may take.
    pub(crate) fn connect_ns(&self) -> u64 {
        let ramp_s = match self.connecting.ramp {
            0 => 0.0,
            ramp => self.workload.connections() as f64 / f64::from(ramp),
        };
        nanoseconds(ramp_s + self.timing.patience_s)
    }
}

/// Older results files do not have what was added since, and files with nothing of it read as they did.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
