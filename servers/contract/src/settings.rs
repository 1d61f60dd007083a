use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::{Args, Parser};

/// How a contender is started: flags or environment variables, the same for every language.
#[derive(Debug, Clone, Parser)]
#[command(about = "A contender: serves the contract of servers/README.md")]
pub struct Settings {
    /// Address to listen on.
    #[arg(long, env = "HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,

    /// TCP port to listen on.
    #[arg(long, env = "PORT", default_value_t = 9001)]
    pub port: u16,

    /// Event-loop threads; by default as many as the cores this process may run on.
    #[arg(long, env = "WORKERS", default_value_t = available_parallelism().unwrap_or(NonZeroUsize::MIN))]
    pub workers: NonZeroUsize,

    /// Processes that serve, each with so many workers and a hub of its own.
    #[arg(long, env = "PROCESSES", default_value = "1")]
    pub processes: NonZeroUsize,

    /// What is refused.
    #[command(flatten)]
    pub limits: Limits,

    /// How long things are waited for.
    #[command(flatten)]
    pub timing: Timing,
}

impl Settings {
    /// The flags and the environment; ends the process with a message if they are wrong.
    #[must_use]
    pub fn from_args() -> Self {
        Self::parse()
    }

    /// Where to listen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }
}

/// The limits of the contract; the defaults are what is measured and verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Limits {
    /// Longest publication, in bytes; beyond: 413, or close 1009.
    #[arg(long, env = "PUBLICATION_BYTES", default_value_t = Self::DEFAULT.publication_bytes)]
    pub publication_bytes: usize,

    /// Longest echo message, in bytes; beyond: close 1009.
    #[arg(long, env = "ECHO_BYTES", default_value_t = Self::DEFAULT.echo_bytes)]
    pub echo_bytes: usize,

    /// Publications kept for replay, and how many a subscriber may fall behind before it is closed.
    #[arg(long, env = "REPLAY_WINDOW", default_value_t = Self::DEFAULT.replay_window)]
    pub replay_window: NonZeroUsize,

    /// Longest answer to a poll, in bytes, but for one that holds a single publication.
    #[arg(long, env = "POLL_BYTES", default_value_t = Self::DEFAULT.poll_bytes)]
    pub poll_bytes: usize,
}

impl Limits {
    const DEFAULT: Self = Self {
        publication_bytes: 64 * 1024,
        echo_bytes: 1024 * 1024,
        replay_window: NonZeroUsize::new(1024).expect("1024 is not zero"),
        poll_bytes: 1024 * 1024,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How long things are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Timing {
    /// How long a poll waits for a publication, in milliseconds.
    #[arg(long, env = "POLL_WAIT_MS", default_value_t = Self::DEFAULT.poll_wait_ms)]
    pub poll_wait_ms: u64,

    /// What an event stream tells a client to wait before it connects again, in milliseconds.
    #[arg(long, env = "RETRY_MS", default_value_t = Self::DEFAULT.retry_ms)]
    pub retry_ms: u64,

    /// Between two heartbeats to a subscriber, in milliseconds; 0: none.
    #[arg(long, env = "HEARTBEAT_MS", default_value_t = Self::DEFAULT.heartbeat_ms)]
    pub heartbeat_ms: u64,

    /// Idle time after which TCP asks whether a client is still there, and between two such questions, in seconds; 0: never.
    #[arg(long, env = "TCP_KEEPALIVE_S", default_value_t = Self::DEFAULT.tcp_keepalive_s)]
    pub tcp_keepalive_s: u32,

    /// How long what was sent may wait for its acknowledgement, in milliseconds; 0: as the kernel does.
    #[arg(long, env = "TCP_USER_TIMEOUT_MS", default_value_t = Self::DEFAULT.tcp_user_timeout_ms)]
    pub tcp_user_timeout_ms: u32,
}

impl Timing {
    const DEFAULT: Self = Self {
        poll_wait_ms: 25_000,
        retry_ms: 1_000,
        heartbeat_ms: 15_000,
        tcp_keepalive_s: 60,
        tcp_user_timeout_ms: 30_000,
    };

    /// How long a poll waits for a publication.
    #[must_use]
    pub fn poll_wait(&self) -> Duration {
        Duration::from_millis(self.poll_wait_ms)
    }

    /// Between two heartbeats, if there are to be any.
    #[must_use]
    pub fn heartbeat(&self) -> Option<Duration> {
        (self.heartbeat_ms > 0).then(|| Duration::from_millis(self.heartbeat_ms))
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::DEFAULT
    }
}
