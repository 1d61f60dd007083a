use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::AsFd;

use bytes::{Buf as _, Bytes};
use rustix::io::{self, Errno, retry_on_intr};
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};

/// What goes out in one system call: so many pieces, or the one that makes it so many bytes.
const PIECES: usize = 64;
const PIECES_BYTES: usize = 256 * 1024;

/// Below this, copying is cheaper than sharing.
pub(crate) const WORTH_SHARING_BYTES: usize = 4096;

/// What one turn of a connection has to say, in order: first pieces that are shared, then bytes that are
/// copied one behind the other. One serves all connections of a loop, and keeps its memory.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pieces: Vec<Bytes>,
    pieces_bytes: usize,
    tail: Vec<u8>,
}

impl Output {
    /// For what is small: it is copied to the end of this.
    pub(crate) fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.tail
    }

    /// For what is large, or goes to many.
    pub(crate) fn share(&mut self, bytes: Bytes) {
        if !self.tail.is_empty() {
            let tail = self.take_tail();
            self.share(tail);
        }
        self.pieces_bytes += bytes.len();
        self.pieces.push(bytes);
    }

    /// For what may be either.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if bytes.len() >= WORTH_SHARING_BYTES {
            self.share(bytes);
        } else {
            self.tail.extend_from_slice(&bytes);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.tail.is_empty()
    }

    /// Is there room in one system call for another piece?
    pub(crate) fn has_room(&self) -> bool {
        self.pieces.len() < PIECES && self.pieces_bytes + self.tail.len() < PIECES_BYTES
    }

    fn take_tail(&mut self) -> Bytes {
        let tail = Bytes::copy_from_slice(&self.tail);
        self.tail.clear();
        tail
    }

    fn clear(&mut self) {
        self.pieces.clear();
        self.pieces_bytes = 0;
        self.tail.clear();
    }

    /// Everything, in order, as the client sees it.
    #[cfg(test)]
    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        let mut bytes = self.pieces.concat();
        bytes.extend_from_slice(&self.tail);
        self.clear();
        bytes
    }
}

/// What a socket has not taken yet. It holds no memory while there is nothing.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    pieces: VecDeque<Bytes>,
}

impl Unsent {
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Sends all of `output`, which is empty afterwards, and keeps what the socket does not take: then it
    /// is full, and reports when it is not.
    pub(crate) fn send(&mut self, socket: impl AsFd, output: &mut Output) -> io::Result<()> {
        let result = match (output.pieces.as_slice(), output.tail.as_slice()) {
            ([], []) => Ok(()),
            ([], tail) if self.is_empty() => taken(|| send(&socket, tail, SendFlags::NOSIGNAL))
                .map(|sent| self.keep(Bytes::copy_from_slice(&tail[sent..]))),
            ([piece], []) if self.is_empty() => {
                taken(|| send(&socket, piece, SendFlags::NOSIGNAL)).map(|sent| self.keep(piece.slice(sent..)))
            }
            _ => {
                self.pieces.extend(output.pieces.drain(..));
                self.keep(output.take_tail());
                self.flush(socket)
            }
        };
        output.clear();
        result
    }

    /// Sends as much as the socket takes.
    pub(crate) fn flush(&mut self, socket: impl AsFd) -> io::Result<()> {
        while !self.is_empty() {
            let mut slices = [IoSlice::new(&[]); PIECES];
            let mut offered_bytes = 0;
            let count = self.pieces.len().min(PIECES);
            for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
                *slice = IoSlice::new(piece);
                offered_bytes += piece.len();
            }
            let mut control = SendAncillaryBuffer::default();
            let sent = taken(|| sendmsg(&socket, &slices[..count], &mut control, SendFlags::NOSIGNAL))?;
            self.drop_sent(sent);
            if sent < offered_bytes {
                return Ok(());
            }
        }
        self.pieces = VecDeque::new();
        Ok(())
    }

    /// Gives up all but the piece that may have been sent in part, and puts `output` behind it.
    pub(crate) fn cut_short(&mut self, output: &mut Output) {
        self.pieces.truncate(1);
        self.pieces.extend(output.pieces.drain(..));
        self.keep(output.take_tail());
        output.clear();
    }

    fn keep(&mut self, rest: Bytes) {
        if !rest.is_empty() {
            self.pieces.push_back(rest);
        }
    }

    fn drop_sent(&mut self, mut sent: usize) {
        while let Some(front) = self.pieces.front_mut() {
            if sent < front.len() {
                front.advance(sent);
                return;
            }
            sent -= front.len();
            self.pieces.pop_front();
        }
    }
}

/// How many bytes a socket took: none if it is full.
fn taken(send: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    match retry_on_intr(send) {
        Err(Errno::AGAIN) => Ok(0),
        other => other,
    }
}
