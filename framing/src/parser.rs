use crate::{FrameError, Header, MAX_HEADER_BYTES, Opcode, apply_mask};

/// A piece of one message's payload, unmasked, in the caller's buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The kind of the message: never [`Opcode::Continuation`].
    pub opcode: Opcode,
    /// Does the message begin with this piece?
    pub first: bool,
    /// Does the message end with this piece?
    pub last: bool,
    /// The bytes; empty for an empty message.
    pub payload: &'a mut [u8],
}

/// A streaming parser: it keeps only where it stands (40 bytes), never payload, so a connection costs
/// the same idle or in the middle of a message of any size.
///
/// Payload is handed out in place, in the pieces it arrives in; who needs a message whole puts it together.
/// The pieces of a control frame may come between those of a data message, so each needs a place of its own.
#[derive(Debug, Clone)]
pub struct Parser {
    /// Bytes of a header that arrived in part.
    partial: [u8; MAX_HEADER_BYTES],
    partial_bytes: u8,
    /// A client's frames are masked, a server's are not (RFC 6455, section 5.1).
    expects_mask: bool,
    /// The data message in progress, between or within its fragments.
    message: Option<Opcode>,
    /// Has a piece of the data message in progress been handed out?
    begun: bool,
    frame: Option<Frame>,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    fin: bool,
    opcode: Opcode,
    begun: bool,
    remaining_bytes: u64,
    /// Rotated so that it always begins at the next byte.
    mask: [u8; 4],
}

impl Parser {
    /// A parser of what a client sends: every frame masked.
    #[must_use]
    pub fn of_client_frames() -> Self {
        Self::new(true)
    }

    /// A parser of what a server sends: no frame masked.
    #[must_use]
    pub fn of_server_frames() -> Self {
        Self::new(false)
    }

    fn new(expects_mask: bool) -> Self {
        Self {
            partial: [0; MAX_HEADER_BYTES],
            partial_bytes: 0,
            expects_mask,
            message: None,
            begun: false,
            frame: None,
        }
    }

    /// Takes the next piece of payload from the front of `input`, which shrinks by what was read.
    /// `None`: all of `input` was read and more is needed.
    ///
    /// # Errors
    /// A [`FrameError`]; the stream cannot be read on after it.
    pub fn next<'a>(&mut self, input: &mut &'a mut [u8]) -> Result<Option<Chunk<'a>>, FrameError> {
        let frame = match &mut self.frame {
            Some(frame) => frame,
            None => match self.read_header(input)? {
                Some(header) => self.frame.insert(header),
                None => return Ok(None),
            },
        };
        if input.is_empty() && frame.remaining_bytes > 0 {
            return Ok(None);
        }
        let take = usize::try_from(frame.remaining_bytes).unwrap_or(usize::MAX).min(input.len());
        let (payload, rest) = std::mem::take(input).split_at_mut(take);
        *input = rest;
        if self.expects_mask {
            apply_mask(payload, frame.mask, 0);
            frame.mask.rotate_left(take % 4);
        }
        frame.remaining_bytes -= take as u64;
        let ended = frame.remaining_bytes == 0;
        let chunk = if frame.opcode.is_control() {
            let first = !frame.begun;
            frame.begun = true;
            Chunk { opcode: frame.opcode, first, last: ended, payload }
        } else {
            let first = !self.begun;
            let last = ended && frame.fin;
            self.begun = !last;
            let opcode = frame.opcode;
            if last {
                self.message = None;
            }
            Chunk { opcode, first, last, payload }
        };
        if ended {
            self.frame = None;
        }
        Ok(Some(chunk))
    }

    /// Length of the payload that the data frame in progress still lacks; 0 between frames and within a
    /// control frame. It is known as soon as the header is, so that a message over a limit can be refused
    /// before its payload has come.
    #[must_use]
    pub fn missing_bytes(&self) -> u64 {
        self.frame.filter(|frame| !frame.opcode.is_control()).map_or(0, |frame| frame.remaining_bytes)
    }

    /// Is the stream at the end of a message, with nothing of the next one read?
    #[must_use]
    pub fn is_between_messages(&self) -> bool {
        self.frame.is_none() && self.message.is_none() && self.partial_bytes == 0
    }

    fn read_header(&mut self, input: &mut &mut [u8]) -> Result<Option<Frame>, FrameError> {
        let kept = usize::from(self.partial_bytes);
        let (header, used) = if kept == 0 {
            match Header::decode(input)? {
                Some(found) => found,
                None => return Ok(self.keep_partial(input)),
            }
        } else {
            let borrowed = input.len().min(MAX_HEADER_BYTES - kept);
            self.partial[kept..kept + borrowed].copy_from_slice(&input[..borrowed]);
            match Header::decode(&self.partial[..kept + borrowed])? {
                Some((header, length)) => (header, length - kept),
                None => return Ok(self.keep_partial(input)),
            }
        };
        *input = &mut std::mem::take(input)[used..];
        self.partial_bytes = 0;
        if header.mask.is_some() != self.expects_mask {
            return Err(FrameError::WrongMask);
        }
        let opcode = match (header.opcode, self.message) {
            (control, _) if control.is_control() => control,
            (Opcode::Continuation, Some(begun)) => begun,
            (Opcode::Continuation, None) | (_, Some(_)) => return Err(FrameError::FragmentOrder),
            (opcode, None) => opcode,
        };
        if !opcode.is_control() {
            self.message = Some(opcode);
        }
        Ok(Some(Frame {
            fin: header.fin,
            opcode,
            begun: false,
            remaining_bytes: header.payload_bytes,
            mask: header.mask.unwrap_or_default(),
        }))
    }

    /// Stores all of `input`, which is too short for a header.
    fn keep_partial(&mut self, input: &mut &mut [u8]) -> Option<Frame> {
        let kept = usize::from(self.partial_bytes);
        let bytes = std::mem::take(input);
        self.partial[kept..kept + bytes.len()].copy_from_slice(bytes);
        self.partial_bytes += bytes.len() as u8;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunk, Parser};
    use crate::{FrameError, Opcode};

    #[test]
    fn refuses_a_mask_on_the_wrong_side() {
        let mut unmasked = *b"\x81\x01a";
        assert_eq!(Parser::of_client_frames().next(&mut &mut unmasked[..]), Err(FrameError::WrongMask));
        let mut masked = *b"\x81\x81\0\0\0\0a";
        assert_eq!(Parser::of_server_frames().next(&mut &mut masked[..]), Err(FrameError::WrongMask));
    }

    #[test]
    fn refuses_fragments_out_of_order() {
        let mut continuation_of_nothing = *b"\x80\x00";
        let mut input = &mut continuation_of_nothing[..];
        assert_eq!(Parser::of_server_frames().next(&mut input), Err(FrameError::FragmentOrder));

        let mut text_within_text = *b"\x01\x00\x89\x00\x81\x00";
        let mut input = &mut text_within_text[..];
        let mut parser = Parser::of_server_frames();
        let empty = |opcode, first, last| Ok(Some(Chunk { opcode, first, last, payload: &mut [] }));
        assert_eq!(parser.next(&mut input), empty(Opcode::Text, true, false));
        assert_eq!(parser.next(&mut input), empty(Opcode::Ping, true, true));
        assert_eq!(parser.next(&mut input), Err(FrameError::FragmentOrder));
    }

    #[test]
    fn tells_what_a_frame_lacks_as_soon_as_its_header_is_read() {
        let mut bytes = *b"\x82\x7f\0\0\0\0\x10\0\0\0ab";
        let (header, payload) = bytes.split_at_mut(10);
        let mut parser = Parser::of_server_frames();
        assert_eq!(parser.next(&mut &mut *header), Ok(None));
        assert_eq!(parser.missing_bytes(), 1 << 28);
        assert!(parser.next(&mut &mut *payload).is_ok_and(|chunk| chunk.is_some()));
        assert_eq!(parser.missing_bytes(), (1 << 28) - 2);

        let mut parser = Parser::of_server_frames();
        assert_eq!(parser.next(&mut &mut b"\x89\x05".to_owned()[..]), Ok(None));
        assert_eq!(parser.missing_bytes(), 0, "a ping is no part of a message");
    }

    #[test]
    fn is_between_messages_only_where_none_has_begun() {
        let mut parser = Parser::of_server_frames();
        let mut after = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let mut input = bytes.as_mut_slice();
            while parser.next(&mut input).is_ok_and(|chunk| chunk.is_some()) {}
            parser.is_between_messages()
        };
        assert!(after(b""));
        assert!(!after(b"\x01"), "half a header");
        assert!(!after(b"\x01a"), "the first of two fragments");
        assert!(!after(b"\x89\x00"), "a ping between the fragments");
        assert!(!after(b"\x80\x01"), "half the last fragment");
        assert!(after(b"b"));
    }
}
