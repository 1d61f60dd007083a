use super::check::Sink;
use super::delivered::{Delivered, id};
use crate::http::{Decoder, Head, Part};
use crate::loss::Loss;

/// Longest of what an event has beside its publication: an id, the names of fields, and comments before it.
const MAX_FIELDS_BYTES: usize = 1024;
/// What each of a subscriber's buffers may keep between two events: enough for those of a chat.
const KEPT_BYTES: usize = 256;

/// A subscriber's end of `GET /sse`: a publication is one event.
#[derive(Debug)]
pub(super) struct EventStream {
    decoder: Decoder,
    parser: sse::Parser,
    is_asked: bool,
    is_open: bool,
}

impl EventStream {
    pub(super) fn new() -> Self {
        Self {
            decoder: Decoder::up_to(u64::MAX),
            parser: sse::Parser::new(),
            is_asked: false,
            is_open: false,
        }
    }

    /// Whoever has seen the head gets every later publication.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Asks for the stream, once; `end` is that of every request.
    pub(super) fn ask(&mut self, end: &[u8], out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_asked, true) {
            out.extend_from_slice(b"GET /sse");
            out.extend_from_slice(end);
        }
    }

    pub(super) fn receive(&mut self, mut bytes: &[u8], sink: &mut Sink) -> Result<(), Loss> {
        while let Some(part) = self.decoder.next(&mut bytes)? {
            match part {
                Part::Head(Head { status: 200, is_event_stream: true, .. }) => self.is_open = true,
                Part::Head(Head { status: 200, .. }) => return Err(Loss::Malformed("no event stream")),
                Part::Head(Head { status, .. }) => return Err(Loss::Status(status)),
                Part::Data(data) => self.read(data, sink)?,
                Part::End => return Err(Loss::StreamEnded),
            }
        }
        self.parser.shrink_to(KEPT_BYTES);
        Ok(())
    }

    fn read(&mut self, mut data: &[u8], sink: &mut Sink) -> Result<(), Loss> {
        while let Some(event) = self.parser.next(&mut data) {
            let delivered = Delivered::read(event.data, &sink.check.fill);
            let is_right =
                |delivered: &Delivered| event.name == b"message" && id(event.id) == Some(delivered.id);
            sink.deliver(delivered.filter(is_right));
        }
        if self.parser.held_bytes() > sink.check.max_json_bytes() + MAX_FIELDS_BYTES {
            return Err(Loss::TooLong);
        }
        Ok(())
    }
}
