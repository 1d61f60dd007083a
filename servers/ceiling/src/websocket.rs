use bytes::Bytes;
use contract::Refusal;
use framing::{Header, MAX_HEADER_BYTES, Opcode, Parser, close};

use crate::output::{Output, WORTH_SHARING_BYTES};

/// A message gathered from pieces leaves room before it for the header of its echo, which then needs no copy.
const HEADER_ROOM: usize = MAX_HEADER_BYTES;

/// A publication as it goes over the wire, header and all.
#[expect(clippy::needless_pass_by_value, reason = "the contract hands over what others share")]
pub(crate) fn text_frame(json: Bytes) -> Bytes {
    let mut frame = Vec::with_capacity(HEADER_ROOM + json.len());
    push_frame(&mut frame, Opcode::Text, &json);
    frame.into()
}

/// The last frame of a server that gives up on its client.
pub(crate) fn push_close(out: &mut Vec<u8>, refusal: &Refusal) {
    let close = refusal.close();
    push_frame(out, Opcode::Close, &[&close.code.to_be_bytes()[..], close.reason.as_bytes()].concat());
}

/// A heartbeat.
pub(crate) fn push_ping(out: &mut Vec<u8>) {
    push_frame(out, Opcode::Ping, &[]);
}

pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_frame(out, Opcode::Text, text.as_bytes());
}

/// The last frame of a server that has said all.
pub(crate) fn push_done(out: &mut Vec<u8>) {
    push_frame(out, Opcode::Close, &1000_u16.to_be_bytes());
}

/// A whole frame, as a server sends it: not masked.
fn push_frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    header(opcode, payload.len()).encode(out);
    out.extend_from_slice(payload);
}

fn header(opcode: Opcode, payload_bytes: usize) -> Header {
    Header { fin: true, opcode, mask: None, payload_bytes: payload_bytes as u64 }
}

/// What a client said, as far as it is not answered here.
#[derive(Debug)]
pub(crate) enum Incoming<'a> {
    /// A message. Whether text is UTF-8 is yet to be seen.
    Message { text: bool, payload: Payload<'a> },
    /// It has closed, and has been answered.
    Closed,
}

/// The payload of a whole message.
#[derive(Debug)]
pub(crate) enum Payload<'a> {
    /// It came in one piece, and is still where it came.
    InPlace(&'a [u8]),
    /// It was gathered, after [`HEADER_ROOM`].
    Gathered(Vec<u8>),
}

impl Payload<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::InPlace(bytes) => bytes,
            Self::Gathered(bytes) => &bytes[HEADER_ROOM..],
        }
    }

    pub(crate) fn text(&self) -> Result<&str, Refusal> {
        str::from_utf8(self.bytes()).map_err(|_| Refusal::NotUtf8)
    }

    /// Sends it back.
    pub(crate) fn echo(self, text: bool, output: &mut Output) {
        let opcode = if text { Opcode::Text } else { Opcode::Binary };
        match self {
            Self::Gathered(mut bytes) if bytes.len() >= WORTH_SHARING_BYTES => {
                let (header, length) = header(opcode, bytes.len() - HEADER_ROOM).to_bytes();
                let start = HEADER_ROOM - length;
                bytes[start..HEADER_ROOM].copy_from_slice(&header[..length]);
                output.share(Bytes::from(bytes).slice(start..));
            }
            small => push_frame(output.tail(), opcode, small.bytes()),
        }
    }
}

/// Reads messages out of what a client sends, and answers its control frames.
///
/// Between messages it holds no buffer; within one, no more than the message, up to its limit.
#[derive(Debug)]
pub(crate) struct Messages {
    parser: Parser,
    /// The pieces of a message, after [`HEADER_ROOM`]; empty if nothing has come.
    gathered: Vec<u8>,
    /// The pieces of a control frame.
    control: Vec<u8>,
    limit_bytes: usize,
}

impl Messages {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { parser: Parser::of_client_frames(), gathered: Vec::new(), control: Vec::new(), limit_bytes }
    }

    /// The next thing from the front of `input`; `None` if all of it was read and more is needed.
    pub(crate) fn next<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        output: &mut Output,
    ) -> Result<Option<Incoming<'a>>, Refusal> {
        while let Some(chunk) = self.parser.next(input).map_err(|_| Refusal::Protocol)? {
            let whole = chunk.first && chunk.last;
            if chunk.opcode.is_control() {
                if !whole {
                    self.control.extend_from_slice(chunk.payload);
                }
                if chunk.last {
                    let gathered = std::mem::take(&mut self.control);
                    let payload = if whole { &*chunk.payload } else { gathered.as_slice() };
                    if answer_control(chunk.opcode, payload, output)? {
                        return Ok(Some(Incoming::Closed));
                    }
                }
                continue;
            }
            self.check_limit(chunk.payload.len())?;
            if !whole {
                self.gather(chunk.payload);
            }
            if chunk.last {
                let payload = match std::mem::take(&mut self.gathered) {
                    nothing if nothing.is_empty() => Payload::InPlace(chunk.payload),
                    gathered => Payload::Gathered(gathered),
                };
                return Ok(Some(Incoming::Message { text: chunk.opcode == Opcode::Text, payload }));
            }
        }
        // A header may have come without payload.
        self.check_limit(0)?;
        Ok(None)
    }

    /// Refuses a message as soon as it is known that it will be too long.
    fn check_limit(&self, more_bytes: usize) -> Result<(), Refusal> {
        let known_bytes = self.gathered.len().saturating_sub(HEADER_ROOM) + more_bytes;
        if self.parser.missing_bytes().saturating_add(known_bytes as u64) > self.limit_bytes as u64 {
            return Err(Refusal::TooBig { limit_bytes: self.limit_bytes });
        }
        Ok(())
    }

    fn gather(&mut self, piece: &[u8]) {
        if self.gathered.is_empty() {
            // The rest of the frame is under the limit. Memory that is not written to costs nothing yet.
            self.gathered.reserve_exact(HEADER_ROOM + piece.len() + self.parser.missing_bytes() as usize);
            self.gathered.resize(HEADER_ROOM, 0);
        }
        self.gathered.extend_from_slice(piece);
    }

    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.gathered.capacity() + self.control.capacity()
    }
}

/// Is it a close?
fn answer_control(opcode: Opcode, payload: &[u8], output: &mut Output) -> Result<bool, Refusal> {
    match opcode {
        Opcode::Ping => push_frame(output.tail(), Opcode::Pong, payload),
        Opcode::Close => {
            match close::decode(payload) {
                Ok(Some((code, _))) => push_frame(output.tail(), Opcode::Close, &code.to_be_bytes()),
                Ok(None) => push_frame(output.tail(), Opcode::Close, &[]),
                Err(close::BadClose::Reason) => return Err(Refusal::NotUtf8),
                Err(_) => return Err(Refusal::Protocol),
            }
            return Ok(true);
        }
        _ => {}
    }
    Ok(false)
}
