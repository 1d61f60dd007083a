//! What a message costs on the wire, and what opening a connection does.

use loadgen::Wire;

use super::figures::{Figure, cost, figure};
use crate::results::Measured;

/// Rows for every load with messages.
pub(super) const WIRE: &[Figure] = &[
    figure("On the wire, to the server (B/message)", |m| per_message(m, |wire| wire.to_server.bytes)),
    figure("On the wire, to the client (B/message)", |m| per_message(m, |wire| wire.to_client.bytes)),
    figure("Segments to the server (per message)", |m| per_message(m, |wire| wire.to_server.segments)),
    figure("Segments to the client (per message)", |m| per_message(m, |wire| wire.to_client.segments)),
];

/// Rows for a load that opens connections again and again.
pub(super) const OPENING: &[Figure] = &[
    figure("Opening, to the server (B/connection)", |m| per_opening(m, |wire| wire.opening.to_server.bytes)),
    figure("Opening, to the client (B/connection)", |m| per_opening(m, |wire| wire.opening.to_client.bytes)),
    figure("Segments to open (per connection)", |m| {
        let both = |wire: &Wire| wire.opening.to_server.segments + wire.opening.to_client.segments;
        per_opening(m, both)
    }),
];

/// Both ways together: what transports are compared by.
pub(super) const BOTH_WAYS: &Figure = &cost("On the wire, both ways (B/message)", |m| {
    per_message(m, |wire| wire.to_server.bytes + wire.to_client.bytes)
});

fn per_message(measured: &Measured, of: impl Fn(&Wire) -> u64) -> Option<f64> {
    let wire = measured.measurement.wire.as_ref()?;
    Some(of(wire) as f64 / wire.messages as f64)
}

fn per_opening(measured: &Measured, of: impl Fn(&Wire) -> u64) -> Option<f64> {
    let connections = measured.measurement.connections.established;
    let wire = measured.measurement.wire.as_ref().filter(|_| connections > 0)?;
    Some(of(wire) as f64 / connections as f64)
}
