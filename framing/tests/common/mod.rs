//! Streams of frames, and what `framing` and the oracle make of them.

pub(crate) mod of_theirs;

use framing::{FrameError, Header, Opcode, Parser, apply_mask};
use proptest::prelude::*;

pub(crate) type Message = (Opcode, Vec<u8>);

const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// What `framing` reads from `bytes` if they arrive cut at `cuts`: whole messages, and what ended them.
/// Like the oracle, it reads nothing after a close.
pub(crate) fn parse(bytes: &[u8], cuts: &[usize], masked: bool) -> (Vec<Message>, Option<FrameError>) {
    let mut bytes = bytes.to_vec();
    let mut parser = if masked { Parser::of_client_frames() } else { Parser::of_server_frames() };
    let mut messages = Vec::new();
    let (mut data, mut control) = (Vec::new(), Vec::new());
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(bytes.len());
    let mut from = 0;
    for cut in cuts {
        let mut piece = &mut bytes[from..cut];
        from = cut;
        loop {
            match parser.next(&mut piece) {
                Ok(Some(chunk)) => {
                    let whole = if chunk.opcode.is_control() { &mut control } else { &mut data };
                    assert_eq!(
                        chunk.first && whole.is_empty(),
                        chunk.first,
                        "a message began within another"
                    );
                    whole.extend_from_slice(chunk.payload);
                    if chunk.last {
                        messages.push((chunk.opcode, std::mem::take(whole)));
                        if chunk.opcode == Opcode::Close {
                            return (messages, None);
                        }
                    }
                }
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
        assert!(piece.is_empty(), "{} bytes were left unread", piece.len());
    }
    (messages, None)
}

/// `messages` in frames of at most `frame_bytes`, with `controls` between them wherever a frame ends.
pub(crate) fn wire(messages: &[Message], controls: &[Message], frame_bytes: usize, masked: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut controls = controls.iter();
    for (opcode, payload) in messages {
        let mut opcode = *opcode;
        let mut rest = payload.as_slice();
        loop {
            let (piece, after) = rest.split_at(rest.len().min(frame_bytes));
            push_frame(&mut out, after.is_empty(), opcode, piece, masked);
            if let Some((control, payload)) = controls.next() {
                push_frame(&mut out, true, *control, payload, masked);
            }
            if after.is_empty() {
                break;
            }
            (opcode, rest) = (Opcode::Continuation, after);
        }
    }
    out
}

fn push_frame(out: &mut Vec<u8>, fin: bool, opcode: Opcode, payload: &[u8], masked: bool) {
    let mask = masked.then_some(KEY);
    Header { fin, opcode, mask, payload_bytes: payload.len() as u64 }.encode(out);
    let start = out.len();
    out.extend_from_slice(payload);
    if masked {
        apply_mask(&mut out[start..], KEY, 0);
    }
}

/// A frame as bits: nothing keeps it within the protocol.
#[derive(Debug, Clone)]
pub(crate) struct WireFrame {
    first_byte: u8,
    masked: bool,
    /// 0: the length as it should be encoded; 2 or 8: in so many bytes.
    length_bytes: u8,
    payload: Vec<u8>,
}

impl WireFrame {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = self.payload.len();
        let mask_bit = if self.masked { 0x80 } else { 0 };
        let mut out = vec![self.first_byte];
        match self.length_bytes {
            8 => {
                out.push(127 | mask_bit);
                out.extend_from_slice(&(length as u64).to_be_bytes());
            }
            0 if length < 126 => out.push(length as u8 | mask_bit),
            _ => {
                out.push(126 | mask_bit);
                out.extend_from_slice(&(length as u16).to_be_bytes());
            }
        }
        if self.masked {
            out.extend_from_slice(&KEY);
        }
        let start = out.len();
        out.extend_from_slice(&self.payload);
        if self.masked {
            apply_mask(&mut out[start..], KEY, 0);
        }
        out
    }
}

/// Streams that are mostly valid, so that what is wrong comes after what is right; and whether a client sends them.
pub(crate) fn wild_frames() -> impl Strategy<Value = (bool, Vec<WireFrame>)> {
    let first_byte = prop_oneof![20 => prop::sample::select(vec![0x81_u8, 0x82, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8a, 0x88]), 2 => any::<u8>().prop_map(|bits| bits & 0x8f), 1 => any::<u8>()];
    // Text, close reasons included, is ASCII: whether it is UTF-8 is not framing's business.
    let payload = prop_oneof![
        6 => prop::collection::vec(0x20..0x7f_u8, 0..12),
        1 => prop::collection::vec(0x20..0x7f_u8, 120..140),
    ];
    let length_bytes = prop_oneof![20 => Just(0_u8), 1 => Just(2), 1 => Just(8)];
    let frame = (first_byte, prop::bool::weighted(0.05), length_bytes, payload);
    (any::<bool>(), prop::collection::vec(frame, 0..8)).prop_map(|(masked, frames)| {
        let mut within_message = false;
        let frames = frames.into_iter().map(|(mut first_byte, odd, length_bytes, mut payload)| {
            let opcode = first_byte & 0x0f;
            if opcode == 8 && !payload.is_empty() {
                // A close that is well formed, code 1000: what is not is the business of `close`.
                payload.splice(..0, 1000_u16.to_be_bytes());
            }
            if opcode < 3 {
                // Mostly the fragments are in order.
                if !odd && (opcode == 0) != within_message {
                    first_byte ^= if opcode == 2 { 2 } else { 1 };
                }
                within_message = first_byte & 0x80 == 0;
            }
            WireFrame { first_byte, masked: masked ^ (odd && payload.len() > 8), length_bytes, payload }
        });
        (masked, frames.collect())
    })
}

/// Data messages; text is ASCII, so that the oracle may cut it anywhere.
pub(crate) fn messages() -> impl Strategy<Value = Vec<Message>> {
    let length = prop_oneof![
        8 => 0..200_usize,
        1 => prop::sample::select(vec![125_usize, 126, 127]),
        1 => prop::sample::select(vec![65_535_usize, 65_536]),
    ];
    let message = (any::<bool>(), length, any::<u8>()).prop_map(|(text, length, seed)| {
        let limit = if text { 0x7f } else { 0xff };
        let payload = (0..length).map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed) & limit).collect();
        (if text { Opcode::Text } else { Opcode::Binary }, payload)
    });
    prop::collection::vec(message, 0..6)
}

/// Places to cut a stream at; they are taken modulo its length.
pub(crate) fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(any::<usize>(), 0..12)
}
