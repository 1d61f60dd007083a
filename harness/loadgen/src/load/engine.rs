use std::fmt;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Load, Workload};
use crate::RunError;
use crate::engine::{RING_PAYLOAD_BYTES, try_ring};

/// How the event loops reach their sockets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// io_uring for closed loops of XHR, and of echo with messages of up to 2 KiB, where the system has it; epoll for all else.
    #[default]
    Auto,
    /// A `recv` and a `send` for each message (epoll(7)).
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
    /// The engine that drives it: not [`Engine::Auto`].
    ///
    /// # Errors
    /// io_uring is asked for, and cannot be had or does not fit: [`RunError::NoIoUring`], [`RunError::BadLoad`].
    pub(crate) fn choose_engine(&self) -> Result<Engine, RunError> {
        let is_open = self.workload.arrivals().is_some();
        match self.engine {
            Engine::Epoll => Ok(Engine::Epoll),
            Engine::IoUring if is_open || matches!(self.workload, Workload::Capacity(_)) => {
                Err(RunError::BadLoad(
                    "--engine io-uring: for closed loops; in an open loop each message leaves at its own time, and the \
                     connections of a capacity are to be small"
                        .to_owned(),
                ))
            }
            Engine::IoUring => try_ring().map(|()| Engine::IoUring).map_err(RunError::NoIoUring),
            Engine::Auto => {
                let gains = match self.workload {
                    Workload::Echo { payload_bytes, .. } => payload_bytes <= RING_PAYLOAD_BYTES,
                    Workload::Xhr { .. } => true,
                    _ => false,
                };
                let takes_ring = gains && !is_open && try_ring().is_ok();
                Ok(if takes_ring { Engine::IoUring } else { Engine::Epoll })
            }
        }
    }
}
