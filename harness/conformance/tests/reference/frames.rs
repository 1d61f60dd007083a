use contract::{Ending, Refusal};
use framing::{Header, Opcode, apply_mask};

use super::{Connection, Fault, Server};

/// Reads messages, strictly but for the fault.
pub(super) struct Frames {
    limit_bytes: usize,
    message: Vec<u8>,
    /// The kind of the message in progress.
    kind: Option<Opcode>,
    any_ended: bool,
}

impl Frames {
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, message: Vec::new(), kind: None, any_ended: false }
    }

    pub(super) fn is_within_a_message(&self) -> bool {
        self.kind.is_some()
    }

    /// The next message, or control frame. A text is UTF-8, a close is well formed.
    pub(super) fn next(
        &mut self,
        connection: &mut Connection,
        server: &Server,
    ) -> Result<(Opcode, Vec<u8>), Ending> {
        loop {
            let header = self.header(connection, server)?;
            let payload = self.payload(connection, server, &header)?;
            if header.opcode.is_control() {
                if header.opcode == Opcode::Close && !server.is(Fault::IgnoresMalformedCloses) {
                    check_close(&payload)?;
                }
                return Ok((header.opcode, payload));
            }
            let kind = *self.kind.get_or_insert(header.opcode);
            self.message.extend(payload);
            if !header.fin && !server.is(Fault::SendsFragmentsApart) {
                continue;
            }
            let mut message = std::mem::take(&mut self.message);
            if header.fin {
                self.kind = None;
                self.any_ended = true;
            }
            let is_text = kind == Opcode::Text && !server.is(Fault::AnyUtf8InMessages);
            if is_text && str::from_utf8(&message).is_err() {
                return Err(Refusal::NotUtf8.into());
            }
            if server.is(Fault::CutsLongMessages) {
                message.truncate(60_000);
            }
            return Ok((kind, message));
        }
    }

    fn header(&mut self, connection: &mut Connection, server: &Server) -> Result<Header, Ending> {
        loop {
            self.forgive(server, &mut connection.input);
            match Header::decode(&connection.input) {
                Ok(Some((header, bytes))) => {
                    connection.take(bytes);
                    return self.check(server, header);
                }
                Ok(None) => {
                    if server.is(Fault::WantsFramesInOneRead) && !connection.input.is_empty() {
                        return Err(Refusal::Protocol.into());
                    }
                    if !connection.fill().unwrap_or(false) {
                        return Err(Ending::Gone);
                    }
                }
                Err(_) => return Err(Refusal::Protocol.into()),
            }
        }
    }

    fn check(&self, server: &Server, header: Header) -> Result<Header, Ending> {
        if header.mask.is_none() && !server.is(Fault::NeedsNoMask) {
            return Err(Refusal::Protocol.into());
        }
        let out_of_order = match header.opcode {
            Opcode::Continuation => self.kind.is_none(),
            Opcode::Text | Opcode::Binary => self.kind.is_some(),
            _ => return Ok(header),
        };
        if out_of_order {
            return Err(Refusal::Protocol.into());
        }
        let held = if server.is(Fault::LimitsFramesOnly) { 0 } else { self.message.len() as u64 };
        let too_big = held.saturating_add(header.payload_bytes) > self.limit_bytes as u64;
        if too_big && !server.is(Fault::WaitsForTheWholeFrame) {
            return Err(Refusal::TooBig { limit_bytes: self.limit_bytes }.into());
        }
        Ok(header)
    }

    fn payload(
        &self,
        connection: &mut Connection,
        server: &Server,
        header: &Header,
    ) -> Result<Vec<u8>, Ending> {
        let bytes = usize::try_from(header.payload_bytes).unwrap_or(usize::MAX);
        while connection.input.len() < bytes {
            if !connection.fill().unwrap_or(false) {
                if server.is(Fault::PublishesHalfAMessage) {
                    break;
                }
                return Err(Ending::Gone);
            }
        }
        let mut payload = connection.take(bytes.min(connection.input.len()));
        apply_mask(&mut payload, header.mask.unwrap_or_default(), 0);
        if self.message.len() + payload.len() > self.limit_bytes && server.is(Fault::WaitsForTheWholeFrame) {
            return Err(Refusal::TooBig { limit_bytes: self.limit_bytes }.into());
        }
        Ok(payload)
    }

    /// Makes a frame that must be refused into one that need not, if that is the fault.
    fn forgive(&mut self, server: &Server, input: &mut [u8]) {
        const TEXT: u8 = 0x81;
        let [first, second, ..] = input else { return };
        let opcode = *first & 0x0f;
        let continues_nothing = opcode == 0 && self.kind.is_none();
        match server.fault {
            Fault::IgnoresReservedBits => *first &= 0x8f,
            Fault::IgnoresReservedOpcodes if matches!(opcode, 3..=7 | 11..=15) => *first = TEXT,
            Fault::IgnoresFragmentedControls if opcode >= 8 => *first |= 0x80,
            Fault::IgnoresLongControls if opcode >= 8 && *second & 0x7f > 125 => *first = TEXT,
            Fault::IgnoresFragmentOrder if continues_nothing => *first = TEXT,
            Fault::ContinuesEndedMessages if continues_nothing && self.any_ended => *first = TEXT,
            _ => {}
        }
    }
}

/// Is it empty, or a code that may be sent (RFC 6455, section 7.4) and a text?
fn check_close(payload: &[u8]) -> Result<(), Ending> {
    let Some((&code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(()) } else { Err(Refusal::Protocol.into()) };
    };
    let allowed = matches!(u16::from_be_bytes(code), 1000..=1003 | 1007..=1014 | 3000..=4999);
    if allowed && str::from_utf8(reason).is_ok() { Ok(()) } else { Err(Refusal::Protocol.into()) }
}
