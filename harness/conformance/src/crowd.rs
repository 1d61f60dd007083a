//! A crowd of subscribers of whom some read nothing: what a server's memory must be bounded under.

use std::io::Read as _;
use std::net::TcpStream;
use std::thread;

use contract::FAREWELL;
use framing::{Header, Opcode};

use crate::check::ensure;
use crate::checks::text;
use crate::client::calls::{BROADCAST, await_stats, envelope, stats};
use crate::client::http::Http;
use crate::client::socket::Socket;
use crate::client::websocket::WebSocket;
use crate::client::{abbreviate, difference};
use crate::{Failure, Target};

/// Length of each publication's data: long, so that the buffers of those who do not read are soon full.
pub const PUBLICATION_BYTES: usize = 16 * 1024;
/// Published before each subscriber is read from in turn: less than the sockets hold of it, and than a replay window.
const BATCH: u64 = 4;
/// Far above what the buffers of a stuck subscriber hold on any usual machine.
const MOST_PUBLICATIONS: u64 = 4096;

/// Moments at which somebody may want to look at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// All have subscribed, and nothing was published.
    Subscribed,
    /// A batch was published, which all have who read.
    Published,
    /// All who did not read were closed.
    Closed,
}

/// Opens so many subscribers of whom so many read nothing, and publishes until these are closed and counted as lagging. The
/// others get everything, byte for byte, once and in order. How much was published.
///
/// The server is to send no heartbeats.
///
/// # Errors
/// It does not do so.
pub fn crowd(
    target: &Target,
    reading: usize,
    stuck: usize,
    mut at: impl FnMut(Moment),
) -> Result<u64, Failure> {
    let before = stats(target)?;
    let stalled = (0..stuck).map(|_| {
        let http = Http::over(Socket::open_distant(target)?, target);
        WebSocket::over(http, BROADCAST).map(|websocket| websocket.socket)
    });
    let stalled = stalled.collect::<Result<Vec<_>, _>>()?;
    let readers = (0..reading).map(|_| WebSocket::subscribe(target)?.socket.into_stream());
    let mut readers = readers.collect::<Result<Vec<_>, _>>()?;
    at(Moment::Subscribed);
    let text = text(9, PUBLICATION_BYTES.min(target.limits.publication_bytes));
    let all_lag = before.dropped.lagged + stuck as u64;
    let mut published = 0;
    let mut received = Vec::new();
    while stats(target)?.dropped.lagged < all_lag {
        let observed = || format!("fewer after {published} publications of {} bytes", text.len());
        ensure(published < MOST_PUBLICATIONS, format!("{stuck} subscribers that lag"), observed())?;
        let mut expected = Vec::new();
        for _ in 0..BATCH {
            // On a connection of its own: a server may end one that was idle while it sent to all.
            let receipt = Http::connect(target)?.publish("", &text)?;
            published += 1;
            append_frame(&mut expected, &envelope(receipt.id, &text));
        }
        received.resize(expected.len(), 0);
        for (number, reader) in readers.iter_mut().enumerate() {
            receive(reader, &mut received, &expected).map_err(|failure| {
                failure.when(format!("for the reading subscriber {number} of {reading}"))
            })?;
        }
        at(Moment::Published);
    }
    let stats = await_stats(target, &format!("{reading} subscribers, as the others lagged,"), |stats| {
        stats.subscribers.websocket == reading as u64
    })?;
    ensure(stats.dropped.lagged == all_lag, format!("{all_lag} lagged"), format!("{:?}", stats.dropped))?;
    // Until their connections are ended they have a moment to read why.
    thread::sleep(2 * FAREWELL);
    at(Moment::Closed);
    drop(stalled);
    Ok(published)
}

/// Reads just so many bytes: one more, one less or another would show here or the next time.
fn receive(reader: &mut TcpStream, received: &mut [u8], expected: &[u8]) -> Result<(), Failure> {
    let what = || format!("{BATCH} publications, {} bytes", expected.len());
    reader.read_exact(received).map_err(|error| Failure::new(what(), error.to_string()))?;
    let differs = difference(expected, received);
    ensure(received == expected, what(), format!("{}{differs}", abbreviate(received)))
}

/// As the contract has it: one unmasked frame.
fn append_frame(bytes: &mut Vec<u8>, text: &str) {
    let payload_bytes = text.len() as u64;
    Header { fin: true, opcode: Opcode::Text, mask: None, payload_bytes }.encode(bytes);
    bytes.extend_from_slice(text.as_bytes());
}
