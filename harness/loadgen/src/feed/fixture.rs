use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::http::{Answers, request_end};
use crate::loss::Loss;

/// Items of a feed (contract, "The feed").
const ITEMS: u64 = 500;
/// Longest feed that is read: several times the contract's.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The feed that was fetched first, which all others must be, byte for byte. Empty if there was none to be had.
#[derive(Debug, Default)]
pub(crate) struct Fixture {
    /// The answer to `GET /feed`: `[`, the items with a `,` between two, `]`.
    array: Vec<u8>,
    /// Where each item ends in it.
    ends: Vec<usize>,
    /// Length of the longest item.
    longest_bytes: usize,
}

#[derive(Deserialize)]
struct Item {
    id: u64,
}

impl Fixture {
    /// Fetches it by `GET /feed`, within `patience`.
    ///
    /// # Errors
    /// The server does not answer, or with something else than the items 1 to 500.
    pub(crate) fn fetch(target: SocketAddr, patience: Duration) -> Result<Self, Loss> {
        let deadline = Instant::now() + patience;
        let mut stream = TcpStream::connect_timeout(&target, patience)?;
        stream.set_write_timeout(Some(patience))?;
        stream.write_all(&[b"GET /feed", &request_end(target)[..]].concat())?;
        let mut answers = Answers::up_to(MAX_BYTES);
        let mut buffer = vec![0; 256 * 1024];
        let mut fetched = None;
        while fetched.is_none() {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Err(Loss::TimedOut);
            }
            stream.set_read_timeout(Some(rest))?;
            let length = match stream.read(&mut buffer) {
                Ok(0) => return Err(Loss::Ended),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(Loss::TimedOut),
                Err(error) => return Err(error.into()),
            };
            answers.receive(&buffer[..length], |status, body| {
                let feed = Some(body).filter(|_| status == 200).and_then(Self::read);
                fetched = Some(feed.ok_or(Loss::Malformed("no feed of 500 items"))?);
                Ok(())
            })?;
        }
        fetched.ok_or(Loss::TimedOut)
    }

    /// Reads the array; `None` if it is not the contract's.
    pub(super) fn read(array: &[u8]) -> Option<Self> {
        let mut ends = Vec::new();
        let mut at = 1;
        for (id, separator) in (1..=ITEMS).map(|id| (id, if id == 1 { b'[' } else { b',' })) {
            let rest = array.get(at..).filter(|rest| array[at - 1] == separator && rest.starts_with(b"{"))?;
            let mut items = serde_json::Deserializer::from_slice(rest).into_iter::<Item>();
            items.next()?.ok().filter(|item| item.id == id)?;
            at += items.byte_offset();
            ends.push(at);
            at += 1;
        }
        if array.get(at - 1..) != Some(b"]") {
            return None;
        }
        let starts = std::iter::once(1).chain(ends.iter().map(|end| end + 1));
        let longest_bytes = ends.iter().zip(starts).map(|(end, start)| end - start).max()?;
        Some(Self { array: array.to_vec(), ends, longest_bytes })
    }

    /// All of it, as `GET /feed` gives it.
    pub(super) fn array(&self) -> &[u8] {
        &self.array
    }

    /// How many items there are: 500, or none.
    pub(super) fn items(&self) -> usize {
        self.ends.len()
    }

    /// An item by its place, from 0.
    pub(super) fn item(&self, place: usize) -> Option<&[u8]> {
        let end = *self.ends.get(place)?;
        let start = place.checked_sub(1).map_or(1, |before| self.ends[before] + 1);
        self.array.get(start..end)
    }

    /// Longest item, in bytes.
    pub(super) fn longest_bytes(&self) -> usize {
        self.longest_bytes
    }
}
