use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Usage;
use super::socket_buffers::SocketBuffers;

/// What a server's memory is at one moment. `None`: the kernel does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Memory {
    /// Resident memory of the server's processes, in bytes (`VmRSS`).
    pub resident_bytes: u64,
    /// The server's ends of its open connections.
    pub sockets: Option<u64>,
    /// What the kernel charges to the buffers of these sockets, in bytes (`INET_DIAG_SKMEMINFO`, sock_diag(7)): what was
    /// received and not read, what was sent and not acknowledged, and the kernel's own part of each segment.
    pub buffer_bytes: Option<u64>,
}

/// A server's memory in the course of a trial.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct MemoryCourse {
    /// Before the first connection of the load.
    pub before: Memory,
    /// With all connections open, before any load.
    pub idle: Memory,
    /// Under load: the kernel's at the begin of the measured time, when the warm-up has filled the buffers, and the
    /// resident memory at its end.
    pub active: Memory,
}

impl Memory {
    /// That of the processes whose usage was just read, a server that listens on `port`.
    #[must_use]
    pub fn of(server: &Usage, port: u16) -> Self {
        let buffers = SocketBuffers::of_port(port).ok();
        Self {
            resident_bytes: server.resident_bytes,
            sockets: buffers.map(|buffers| buffers.sockets),
            buffer_bytes: buffers.map(|buffers| buffers.bytes),
        }
    }
}
