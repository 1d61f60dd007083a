//! One hostile client: its bytes, in how many pieces they come, and how it leaves.

use fastrand::Rng;

use super::bytes::{noise, requests, websocket};

/// How a client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It ends its half, and reads to the end.
    Finish,
    /// It ends with unread input, perhaps.
    Vanish,
    /// It resets the connection.
    Reset,
}

/// What one client does; the same for the same seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) bytes: Vec<u8>,
    /// Where a piece ends and the next begins, in order.
    cuts: Vec<usize>,
    pub(super) ending: Ending,
}

impl Stream {
    pub(super) fn of(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut bytes = match random.u8(..16) {
            0 => noise(&mut random),
            1..7 => requests(&mut random),
            _ => websocket(&mut random),
        };
        // Some are left as they are: a server must get so far that the others mean something to it.
        for _ in 0..random.usize(..4) {
            mutate(&mut random, &mut bytes);
        }
        let mut cuts: Vec<usize> = (0..random.usize(..4)).map(|_| random.usize(..=bytes.len())).collect();
        cuts.sort_unstable();
        let ending = match random.u8(..8) {
            0 => Ending::Vanish,
            1 => Ending::Reset,
            _ => Ending::Finish,
        };
        Self { bytes, cuts, ending }
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.cuts.iter().copied());
        let ends = self.cuts.iter().copied().chain(std::iter::once(self.bytes.len()));
        starts.zip(ends).map(|(start, end)| &self.bytes[start..end]).filter(|piece| !piece.is_empty())
    }
}

/// What parsers are known to stumble over.
const TOKENS: [&[u8]; 16] = [
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b" ",
    b"\t",
    b":",
    b"%",
    b"%00",
    b"\xff",
    b"\x7f\xff",
    b"-1",
    b"18446744073709551616",
    b"\r\n0\r\n\r\n",
];

/// Changes a byte, or a few bytes that follow each other.
fn mutate(random: &mut Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = random.usize(..bytes.len());
    let few = at..(at + random.usize(1..9)).min(bytes.len());
    match random.u8(..7) {
        0 => bytes[at] ^= 1 << random.u8(..8),
        1 => bytes[at] = random.u8(..),
        2 => _ = bytes.drain(few),
        3 => {
            let again = bytes[few].to_vec();
            bytes.splice(at..at, again);
        }
        4 => bytes.truncate(at),
        5 => {
            let filler = vec![bytes[at]; 1 << random.u8(4..13)];
            bytes.splice(at..at, filler);
        }
        _ => {
            let token = random.choice(TOKENS).unwrap_or_default();
            bytes.splice(at..at, token.iter().copied());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Ending, Stream};

    #[test]
    fn a_seed_makes_the_same_stream_again_and_another_seed_another() {
        let streams: HashSet<Vec<u8>> = (0..1000).map(|seed| Stream::of(seed).bytes).collect();
        assert!(streams.len() > 990, "{} of 1000 differ", streams.len());
        assert!((0..1000).all(|seed| Stream::of(seed) == Stream::of(seed)));
    }

    #[test]
    fn the_pieces_are_the_stream_and_all_endings_come() {
        for seed in 0..1000 {
            let stream = Stream::of(seed);
            assert_eq!(stream.pieces().collect::<Vec<_>>().concat(), stream.bytes);
        }
        for ending in [Ending::Finish, Ending::Vanish, Ending::Reset] {
            assert!((0..1000).any(|seed| Stream::of(seed).ending == ending), "{ending:?}");
        }
    }

    #[test]
    fn some_streams_are_valid_and_most_are_short() {
        let valid = (0..1000).filter(|&seed| {
            let bytes = Stream::of(seed).bytes;
            let mut fields = [httparse::EMPTY_HEADER; 64];
            httparse::Request::new(&mut fields).parse(&bytes).is_ok_and(|status| status.is_complete())
        });
        assert!((300..1000).contains(&valid.count()));
        let bytes: usize = (0..1000).map(|seed| Stream::of(seed).bytes.len()).sum();
        assert!(bytes < 1000 * 8 * 1024, "{bytes}");
    }
}
