use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

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
}

impl Limits {
    const DEFAULT: Self = Self {
        publication_bytes: 64 * 1024,
        echo_bytes: 1024 * 1024,
        replay_window: NonZeroUsize::new(1024).expect("1024 is not zero"),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
