use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What went over the connections that a load is about, from when each was open to its end, as the kernel of the
/// generator's side counted it. Per message it is what a transport costs on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Wire {
    /// Right replies, deliveries or answers in all that time, not in the measured time alone.
    pub messages: u64,
    /// From the generator to the server.
    pub to_server: Flow,
    /// From the server to the generator.
    pub to_client: Flow,
    /// What opening them took before: the handshake of TCP, and that of a WebSocket, of all connections established.
    pub opening: Flows,
}

/// One direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Flow {
    /// Payload of TCP, in bytes, what was sent again included.
    pub bytes: u64,
    /// Segments of TCP, those without payload included.
    pub segments: u64,
}

/// Both directions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Flows {
    /// From the generator to the server.
    pub to_server: Flow,
    /// From the server to the generator.
    pub to_client: Flow,
}

impl Flows {
    /// What was added after `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        let since = |now: Flow, before: Flow| Flow {
            bytes: now.bytes.saturating_sub(before.bytes),
            segments: now.segments.saturating_sub(before.segments),
        };
        Self {
            to_server: since(self.to_server, before.to_server),
            to_client: since(self.to_client, before.to_client),
        }
    }
}

impl AddAssign for Flows {
    fn add_assign(&mut self, other: Self) {
        for (own, other) in [(&mut self.to_server, other.to_server), (&mut self.to_client, other.to_client)] {
            own.bytes += other.bytes;
            own.segments += other.segments;
        }
    }
}

/// Sums over connections: what was read of each needs no place with it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct WireSums {
    pub(crate) messages: u64,
    /// Until each was open.
    pub(crate) opening: Flows,
    /// Until each began with what the load is about.
    pub(crate) before: Flows,
    /// Until the end of each.
    pub(crate) whole: Flows,
}

impl WireSums {
    /// Adds all of another loop's.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.messages += other.messages;
        self.opening += other.opening;
        self.before += other.before;
        self.whole += other.whole;
    }

    /// What is known, if anything is.
    pub(crate) fn measured(&self) -> Option<Wire> {
        let &Self { messages, opening, before, whole } = self;
        let Flows { to_server, to_client } = whole.since(before);
        (messages > 0 && to_client.bytes > 0).then_some(Wire { messages, to_server, to_client, opening })
    }
}
