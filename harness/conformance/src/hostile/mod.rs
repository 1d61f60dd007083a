//! Hostile clients: seeded streams of almost valid bytes, many at once, each of which a server must bring to an end.

mod bytes;
mod stream;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::client::socket::{Interruption, Socket};
use crate::{Failure, Target};
use stream::{Ending, Stream};

/// Clients at once.
const CLIENTS: usize = 64;
/// How long a client listens that has no more to say. A server that does not read on, since there is an event stream to send, does not see
/// its end behind bytes that it did not ask for.
const LISTENS: Duration = Duration::from_millis(100);

/// A stream that a server did not bring to its end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("stream {seed}: {failure}; the others under way were {beside:?}; it is \"{}\"", bytes.escape_ascii())]
pub struct Casualty {
    /// Seed of the stream: it alone makes the bytes again.
    pub seed: u64,
    /// All of its bytes.
    pub bytes: Vec<u8>,
    /// What the server did.
    pub failure: Failure,
    /// Seeds of the streams that were under way at that moment.
    pub beside: Vec<u64>,
}

/// Sends the streams of these seeds, many at once, as long as it is `going`; how many were sent.
///
/// What a server answers is not looked at. It may refuse, reset and end a connection as it likes, but where a client has no more to
/// say it must go on or end within the target's patience, and take new ones all the time.
///
/// # Errors
/// The first stream with which it did not.
pub fn assault(
    target: &Target,
    seeds: Range<u64>,
    going: impl Fn() -> bool + Sync,
) -> Result<u64, Box<Casualty>> {
    let next = AtomicU64::new(seeds.start);
    let sent = AtomicU64::new(0);
    let under_way = Mutex::new(BTreeSet::new());
    let first = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while going() && lock(&first).is_none() {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    lock(&under_way).insert(seed);
                    let stream = Stream::of(seed);
                    let ended = send(target, &stream);
                    lock(&under_way).remove(&seed);
                    match ended {
                        Ok(()) => _ = sent.fetch_add(1, Relaxed),
                        Err(failure) => {
                            let beside = lock(&under_way).iter().copied().collect();
                            let casualty = Casualty { seed, bytes: stream.bytes, failure, beside };
                            lock(&first).get_or_insert(Box::new(casualty));
                        }
                    }
                }
            });
        }
    });
    match first.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(casualty) => Err(casualty),
        None => Ok(sent.into_inner()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one client does.
fn send(target: &Target, stream: &Stream) -> Result<(), Failure> {
    let mut socket = Socket::open(target)?;
    for piece in stream.pieces() {
        match socket.send(piece) {
            Ok(()) => {}
            // It has had enough of this client.
            Err(Interruption::End) => return Ok(()),
            Err(other) => return Err(other.awaiting("a server that reads, or ends the connection")),
        }
    }
    match stream.ending {
        Ending::Vanish => return Ok(()),
        Ending::Reset => return socket.reset(),
        Ending::Finish => socket.finish_sending(),
    }
    let begun = Instant::now();
    while begun.elapsed() < LISTENS {
        let unread = socket.unread().len();
        socket.consume(unread);
        match socket.receive(socket.deadline()) {
            Ok(()) => {}
            Err(Interruption::End) => return Ok(()),
            Err(other) => return Err(other.awaiting("the end of a connection on which no more was sent")),
        }
    }
    Ok(())
}
