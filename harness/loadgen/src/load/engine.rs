use std::fmt;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Load, Workload};
use crate::RunError;
use crate::engine::try_ring;

/// How the event loops reach their sockets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// A `recv` and a `send` for each message (epoll(7)).
    #[default]
    Epoll,
    /// Many messages with one system call (io_uring(7)): for closed loops.
    IoUring,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

impl Load {
    /// Can the engine drive it?
    ///
    /// # Errors
    /// It does not fit, or cannot be had: [`RunError::BadLoad`], [`RunError::NoIoUring`].
    pub(crate) fn check_engine(&self) -> Result<(), RunError> {
        let is_open = self.workload.arrivals().is_some();
        match self.engine {
            Engine::Epoll => Ok(()),
            Engine::IoUring if is_open || matches!(self.workload, Workload::Capacity(_)) => {
                Err(RunError::BadLoad(
                    "--engine io-uring: for closed loops; in an open loop each message leaves at its own time, and the \
                     connections of a capacity are to be small"
                        .to_owned(),
                ))
            }
            Engine::IoUring => try_ring().map_err(RunError::NoIoUring),
        }
    }
}
