use thiserror::Error;

/// The longest header: two bytes, eight of extended length, four of mask (RFC 6455, section 5.2).
pub const MAX_HEADER_BYTES: usize = 14;

/// The kinds of frame (RFC 6455, section 11.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// More of the message before.
    Continuation = 0,
    /// UTF-8 text.
    Text = 1,
    /// Bytes.
    Binary = 2,
    /// The start or the answer of the closing handshake.
    Close = 8,
    /// Must be answered with a pong.
    Ping = 9,
    /// The answer to a ping.
    Pong = 10,
}

impl Opcode {
    /// Control frames may come between the fragments of a message.
    #[must_use]
    pub fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// What makes a stream of bytes no WebSocket stream. Each asks for close code 1002.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// No extension was negotiated that gives the reserved bits a meaning.
    #[error("a reserved bit is set")]
    ReservedBit,
    /// Opcodes 3 to 7 and 11 to 15.
    #[error("opcode {0} is reserved")]
    ReservedOpcode(u8),
    /// Control frames carry at most 125 bytes.
    #[error("a control frame is longer than 125 bytes")]
    LongControl,
    /// Control frames are whole.
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// "The minimal number of bytes MUST be used to encode the length", and the top bit is 0 (section 5.2).
    #[error("the length is not in its shortest form, or above 2^63-1")]
    BadLength,
    /// A client masks; a server does not.
    #[error("the mask is on the wrong side")]
    WrongMask,
    /// A continuation without a beginning, or a new message within another.
    #[error("the fragments of a message are out of order")]
    FragmentOrder,
}

/// The header of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Is this the last frame of its message?
    pub fin: bool,
    /// The kind.
    pub opcode: Opcode,
    /// The key, if the payload is masked.
    pub mask: Option<[u8; 4]>,
    /// Length of the payload.
    pub payload_bytes: u64,
}

impl Header {
    /// Reads a header from the start of `bytes`: the header and its length, or `None` if there are too few.
    ///
    /// # Errors
    /// A [`FrameError`] as soon as the bytes present cannot begin a valid header.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, FrameError> {
        let Some((&first, bytes)) = bytes.split_first() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(FrameError::ReservedBit);
        }
        let fin = first & 0x80 != 0;
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            other => return Err(FrameError::ReservedOpcode(other)),
        };
        if opcode.is_control() && !fin {
            return Err(FrameError::FragmentedControl);
        }
        let Some((&second, rest)) = bytes.split_first() else { return Ok(None) };
        let short = second & 0x7f;
        if opcode.is_control() && short > 125 {
            return Err(FrameError::LongControl);
        }
        let (payload_bytes, length_bytes) = match short {
            126 => match rest.first_chunk::<2>() {
                Some(&long) => (u64::from(u16::from_be_bytes(long)), 2),
                None => return Ok(None),
            },
            127 => match rest.first_chunk::<8>() {
                Some(&long) => (u64::from_be_bytes(long), 8),
                None => return Ok(None),
            },
            short => (u64::from(short), 0),
        };
        let shortest = match length_bytes {
            2 => payload_bytes > 125,
            8 => payload_bytes > 0xffff && payload_bytes < 1 << 63,
            _ => true,
        };
        if !shortest {
            return Err(FrameError::BadLength);
        }
        let (mask, mask_bytes) = if second & 0x80 == 0 {
            (None, 0)
        } else {
            match rest[length_bytes..].first_chunk::<4>() {
                Some(&key) => (Some(key), 4),
                None => return Ok(None),
            }
        };
        Ok(Some((Self { fin, opcode, mask, payload_bytes }, 2 + length_bytes + mask_bytes)))
    }

    /// Appends the header to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (bytes, length) = self.to_bytes();
        out.extend_from_slice(&bytes[..length]);
    }

    /// The header as it goes on the wire: an array and how much of it is used.
    #[must_use]
    pub fn to_bytes(&self) -> ([u8; MAX_HEADER_BYTES], usize) {
        let mut bytes = [0; MAX_HEADER_BYTES];
        bytes[0] = self.opcode as u8 | if self.fin { 0x80 } else { 0 };
        let mut length = match self.payload_bytes {
            short @ 0..=125 => {
                bytes[1] = short as u8;
                2
            }
            medium @ 126..=0xffff => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&(medium as u16).to_be_bytes());
                4
            }
            long => {
                bytes[1] = 127;
                bytes[2..10].copy_from_slice(&long.to_be_bytes());
                10
            }
        };
        if let Some(key) = self.mask {
            bytes[1] |= 0x80;
            bytes[length..length + 4].copy_from_slice(&key);
            length += 4;
        }
        (bytes, length)
    }
}

#[cfg(test)]
mod tests {
    use super::{FrameError, Header};

    #[test]
    fn refuses_each_header_against_the_rfc_as_soon_as_it_can() {
        let long = |first: u8, length: u64| [&[first, 127][..], &length.to_be_bytes()].concat();
        let cases: Vec<(Vec<u8>, FrameError)> = vec![
            (vec![0xc1], FrameError::ReservedBit),
            (vec![0xa1], FrameError::ReservedBit),
            (vec![0x91], FrameError::ReservedBit),
            (vec![0x83], FrameError::ReservedOpcode(3)),
            (vec![0x87], FrameError::ReservedOpcode(7)),
            (vec![0x8b], FrameError::ReservedOpcode(11)),
            (vec![0x8f], FrameError::ReservedOpcode(15)),
            (vec![0x08], FrameError::FragmentedControl),
            (vec![0x09], FrameError::FragmentedControl),
            (vec![0x89, 126], FrameError::LongControl),
            (vec![0x88, 0xff], FrameError::LongControl),
            (vec![0x82, 126, 0, 125], FrameError::BadLength),
            (long(0x82, 0xffff), FrameError::BadLength),
            (long(0x82, 1 << 63), FrameError::BadLength),
        ];
        for (bytes, error) in cases {
            assert_eq!(Header::decode(&bytes), Err(error), "{bytes:x?}");
            assert_eq!(Header::decode(&bytes[..bytes.len() - 1]), Ok(None), "{bytes:x?} less its last byte");
        }
    }
}
