use fastrand::Rng;
use framing::{Chunk, Header, Opcode, Parser, apply_mask, close};

use crate::loss::Loss;

/// The client's end of one WebSocket connection (RFC 6455): reads frames, answers pings. No sockets.
#[derive(Debug)]
pub(crate) struct Client {
    parser: Parser,
    /// Payload of a control frame that has arrived in part; at most 125 bytes.
    control: Vec<u8>,
    closing: Closing,
}

/// How far the closing handshake is that this end has begun (RFC 6455, section 7.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    NotBegun,
    Begun,
    Done,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self { parser: Parser::of_server_frames(), control: Vec::new(), closing: Closing::NotBegun }
    }

    /// Begins the closing handshake: appends a close to `out`, after which nothing is to be sent.
    pub(crate) fn close(&mut self, random: &mut Rng, out: &mut Vec<u8>) {
        self.closing = Closing::Begun;
        write_frame(Opcode::Close, [&close::NORMAL.to_be_bytes(), &[]], random, out);
    }

    /// Has the server answered the close that was sent?
    pub(crate) fn is_closed(&self) -> bool {
        self.closing == Closing::Done
    }

    /// Takes the next piece of a message from the front of `input`, which shrinks by what was read.
    /// Pongs that are due are appended to `out`.
    ///
    /// # Errors
    /// The server closes by itself, or what it sends is no WebSocket.
    pub(crate) fn next<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        random: &mut Rng,
        out: &mut Vec<u8>,
    ) -> Result<Option<Chunk<'a>>, Loss> {
        while let Some(chunk) = self.parser.next(input)? {
            if !chunk.opcode.is_control() {
                return Ok(Some(chunk));
            }
            self.control.extend_from_slice(chunk.payload);
            if chunk.last {
                // Taken, so that an idle connection holds no buffer.
                let payload = std::mem::take(&mut self.control);
                match chunk.opcode {
                    Opcode::Close if self.closing == Closing::NotBegun => return Err(closed(&payload)),
                    Opcode::Close => {
                        self.closing = Closing::Done;
                        // Nothing that follows means anything.
                        *input = &mut [];
                        return Ok(None);
                    }
                    Opcode::Ping => write_frame(Opcode::Pong, [&payload, &[]], random, out),
                    _ => {}
                }
            }
        }
        Ok(None)
    }
}

/// Appends a whole message in one frame, masked with a fresh key (RFC 6455, section 5.3). Its payload is
/// `parts`, one after the other.
pub(crate) fn write_frame(opcode: Opcode, parts: [&[u8]; 2], random: &mut Rng, out: &mut Vec<u8>) {
    let key = random.u32(..).to_ne_bytes();
    let payload_bytes = parts.iter().map(|part| part.len() as u64).sum();
    Header { fin: true, opcode, mask: Some(key), payload_bytes }.encode(out);
    let start = out.len();
    for part in parts {
        out.extend_from_slice(part);
    }
    apply_mask(&mut out[start..], key, 0);
}

/// What the payload of a close frame says (RFC 6455, section 5.5.1).
fn closed(payload: &[u8]) -> Loss {
    match payload.split_first_chunk::<2>() {
        Some((&code, reason)) => Loss::Closed {
            code: u16::from_be_bytes(code),
            reason: String::from_utf8_lossy(reason).into_owned(),
        },
        None => Loss::ClosedSilently,
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use proptest::prelude::*;

    use super::*;

    /// One frame of a server.
    fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        Header { fin, opcode, mask: None, payload_bytes: payload.len() as u64 }.encode(&mut bytes);
        bytes.extend_from_slice(payload);
        bytes
    }

    /// What a client makes of bytes in these pieces: the data, the pongs (unmasked), and how it ended.
    fn read(pieces: Vec<Vec<u8>>) -> (Vec<u8>, Vec<u8>, Option<Loss>) {
        let (mut client, mut random) = (Client::new(), Rng::with_seed(1));
        let (mut data, mut out, mut loss) = (Vec::new(), Vec::new(), None);
        'pieces: for mut piece in pieces {
            let mut input = piece.as_mut_slice();
            loop {
                match client.next(&mut input, &mut random, &mut out) {
                    Ok(Some(chunk)) => data.extend_from_slice(chunk.payload),
                    Ok(None) => break,
                    Err(error) => {
                        loss = Some(error);
                        break 'pieces;
                    }
                }
            }
        }
        let mut sent = Parser::of_client_frames();
        let (mut pongs, mut input) = (Vec::new(), out.as_mut_slice());
        while let Ok(Some(chunk)) = sent.next(&mut input) {
            assert_eq!(chunk.opcode, Opcode::Pong);
            pongs.extend_from_slice(chunk.payload);
        }
        (data, pongs, loss)
    }

    #[test]
    fn a_close_says_its_code_and_reason() {
        let close =
            |payload: &[u8]| read(vec![frame(true, Opcode::Close, payload)]).2.map(|loss| loss.to_string());
        assert_eq!(close(b"\x03\xf5fell behind").as_deref(), Some("closed 1013: fell behind"));
        assert_eq!(close(b"\x03\xe8").as_deref(), Some("closed 1000"));
        assert_eq!(close(b"").as_deref(), Some("closed without a code"));
        assert_eq!(close(b"\x03\xf5\xff").as_deref(), Some("closed 1013: \u{fffd}"));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_data_and_pongs(cuts in proptest::collection::vec(0usize..60, 0..4)) {
            let mut stream = frame(false, Opcode::Text, b"one ");
            stream.extend(frame(true, Opcode::Ping, b"are you there?"));
            stream.extend(frame(true, Opcode::Continuation, b"two"));
            stream.extend(frame(true, Opcode::Pong, b"never asked"));
            stream.extend(frame(true, Opcode::Close, b"\x03\xe8bye"));
            let mut pieces = vec![stream];
            for cut in cuts {
                let last = pieces.pop().unwrap_or_default();
                let (head, tail) = last.split_at(cut.min(last.len()));
                pieces.extend([head.to_vec(), tail.to_vec()]);
            }
            let (data, pongs, loss) = read(pieces);
            prop_assert_eq!(data, b"one two");
            prop_assert_eq!(pongs, b"are you there?");
            prop_assert_eq!(loss, Some(Loss::Closed { code: 1000, reason: "bye".to_owned() }));
        }

        #[test]
        fn arbitrary_bytes_never_panic(pieces: Vec<Vec<u8>>) {
            read(pieces);
        }
    }
}
