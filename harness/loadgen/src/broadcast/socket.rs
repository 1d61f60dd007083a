use framing::Opcode;

use super::check::Sink;
use super::delivered::Delivered;
use crate::loss::Loss;
use crate::websocket::Client;

/// A subscriber's end of `WS /ws/broadcast`: a publication is one text message.
#[derive(Debug)]
pub(super) struct Socket {
    client: Client,
    /// A delivery that has arrived in part; empty while it is idle.
    partial: Vec<u8>,
}

impl Socket {
    pub(super) const PATH: &str = "/ws/broadcast";

    pub(super) fn new() -> Self {
        Self { client: Client::new(), partial: Vec::new() }
    }

    pub(super) fn receive(&mut self, mut bytes: &mut [u8], sink: &mut Sink) -> Result<(), Loss> {
        while let Some(chunk) =
            self.client.next(&mut bytes, &mut sink.context.random, &mut sink.context.out)?
        {
            if chunk.first && chunk.last {
                deliver(chunk.opcode, chunk.payload, sink);
                continue;
            }
            self.partial.extend_from_slice(chunk.payload);
            if self.partial.len() > sink.check.max_json_bytes() {
                return Err(Loss::TooLong);
            }
            if chunk.last {
                deliver(chunk.opcode, &std::mem::take(&mut self.partial), sink);
            }
        }
        Ok(())
    }
}

fn deliver(opcode: Opcode, message: &[u8], sink: &mut Sink) {
    let text = Some(message).filter(|_| opcode == Opcode::Text);
    sink.deliver(text.and_then(|text| Delivered::read(text, &sink.check.fill)));
}
