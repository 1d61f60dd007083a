use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of a server, whichever tool asks it. A `[[load]]` of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "workload", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Load {
    /// Closed loop on `WS /ws/echo`.
    Echo {
        /// Connections.
        connections: NonZeroUsize,
        /// Messages outstanding on each connection.
        #[serde(default = "one")]
        pipeline: NonZeroUsize,
        /// Length of a message.
        payload_bytes: usize,
        /// Kind of a message.
        #[serde(default)]
        kind: Kind,
    },
    /// `POST /publish` to subscribers on `WS /ws/broadcast`.
    Broadcast {
        /// Subscribers.
        subscribers: NonZeroUsize,
        /// Publishers.
        #[serde(default = "one")]
        publishers: NonZeroUsize,
        /// Length of a publication's data.
        payload_bytes: usize,
        /// Publications a second, open loop; without it each waits until the one before has reached all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<NonZeroU32>,
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

fn one() -> NonZeroUsize {
    NonZeroUsize::MIN
}

impl Load {
    /// Names of the workloads, as `--workloads` takes them.
    pub const WORKLOADS: [&str; 2] = ["echo", "broadcast"];

    /// Name of the workload.
    #[must_use]
    pub fn workload(&self) -> &'static str {
        match self {
            Self::Echo { .. } => Self::WORKLOADS[0],
            Self::Broadcast { .. } => Self::WORKLOADS[1],
        }
    }

    /// How many connections it needs on either side.
    #[must_use]
    pub fn connections(&self) -> usize {
        match self {
            Self::Echo { connections, .. } => connections.get(),
            Self::Broadcast { subscribers, publishers, .. } => {
                subscribers.get().saturating_add(publishers.get())
            }
        }
    }

    /// Is it within what the contract allows and the load generator can do?
    ///
    /// # Errors
    /// What is beyond it, and what was expected.
    pub fn check(&self) -> Result<(), String> {
        let limits = contract::Limits::default();
        let within = |name: &str, value: usize, least: usize, most: usize| {
            let fits = (least..=most).contains(&value);
            fits.then_some(()).ok_or_else(|| format!("{name} = {value}: expected {least} to {most}"))
        };
        match self {
            Self::Echo { pipeline, payload_bytes, .. } => {
                within("pipeline", pipeline.get(), 1, 1 << 16)?;
                within("payload_bytes", *payload_bytes, 0, limits.echo_bytes)
            }
            Self::Broadcast { publishers, payload_bytes, .. } => {
                within("publishers", publishers.get(), 1, 1 << 16)?;
                // The load generator's note: publisher, number, time, checksum.
                within("payload_bytes", *payload_bytes, 32, limits.publication_bytes)
            }
        }
    }

    /// Is the next message sent only when an earlier one has come back? Then rates can be compared.
    #[must_use]
    pub fn is_closed_loop(&self) -> bool {
        !matches!(self, Self::Broadcast { rate: Some(_), .. })
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo { connections, pipeline, payload_bytes, kind } => {
                write!(f, "echo, {connections} × {payload_bytes} B")?;
                if pipeline.get() > 1 {
                    write!(f, ", {pipeline} outstanding")?;
                }
                if *kind == Kind::Binary {
                    write!(f, ", binary")?;
                }
                Ok(())
            }
            Self::Broadcast { subscribers, publishers, payload_bytes, rate } => {
                write!(f, "broadcast, {subscribers} subscribers × {payload_bytes} B")?;
                if publishers.get() > 1 {
                    write!(f, ", {publishers} publishers")?;
                }
                match rate {
                    Some(rate) => write!(f, ", {rate}/s"),
                    None => Ok(()),
                }
            }
        }
    }
}
