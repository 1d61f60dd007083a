//! The contract as calls: what several checks ask of the server before or beside what they prove.

use std::thread;
use std::time::{Duration, Instant};

use contract::{Receipt, Stats};
use serde::{Deserialize, Serialize};

use crate::check::ensure;
use crate::client::http::Http;
use crate::client::websocket::{Message, WebSocket};
use crate::{Failure, Target};

pub(crate) const ECHO: &str = "/ws/echo";
pub(crate) const BROADCAST: &str = "/ws/broadcast";

/// A publication as a subscriber receives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publication {
    pub(crate) id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<String>,
    pub(crate) data: String,
}

/// The exact bytes of an unnamed publication whose text needs no escapes.
pub(crate) fn envelope(id: u64, text: &str) -> String {
    format!(r#"{{"id":{id},"data":"{text}"}}"#)
}

/// The largest number that every reader of JSON takes exactly (RFC 8259, section 6); no server comes
/// near it, and sums with smaller numbers do not overflow.
const LARGEST_NUMBER: u64 = 1 << 53;

impl Http {
    /// `POST /publish` with a query such as `?event=NAME`, or an empty one.
    pub(crate) fn publish(&mut self, query: &str, text: &str) -> Result<Receipt, Failure> {
        let path = format!("/publish{query}");
        let circumstance = || format!("to POST {path} of {} bytes", text.len());
        let answer = self.post(&path, text.as_bytes())?;
        let receipt: Receipt = answer.json(202).map_err(|failure| failure.when(circumstance()))?;
        let counts = (1..LARGEST_NUMBER).contains(&receipt.id);
        ensure(counts, "an id that counts from 1", format!("{receipt:?}"))?;
        Ok(receipt)
    }

    pub(crate) fn stats(&mut self) -> Result<Stats, Failure> {
        let answer = self.get("/stats")?;
        let stats: Stats = answer.json(200).map_err(|failure| failure.when("to GET /stats"))?;
        let possible = stats.publications.max(stats.dropped.lagged) < LARGEST_NUMBER;
        ensure(possible, "numbers that can be counted to", format!("{stats:?}"))?;
        Ok(stats)
    }
}

impl WebSocket {
    pub(crate) fn subscribe(target: &Target) -> Result<Self, Failure> {
        Self::connect(target, BROADCAST)
    }

    /// Awaits a publication with this id, however its JSON is escaped.
    pub(crate) fn expect_publication(&mut self, id: u64) -> Result<Publication, Failure> {
        let expected = || format!("publication {id}");
        let text = match self.read() {
            Ok(Message::Text(text)) => text,
            Ok(other) => return Err(Failure::new(expected(), other.to_string())),
            Err(interruption) => return Err(interruption.awaiting(expected())),
        };
        let publication: Publication = serde_json::from_slice(&text)
            .map_err(|error| Failure::new(expected(), format!("{error} in {}", Message::Text(text))))?;
        ensure(publication.id == id, expected(), format!("publication {}", publication.id))?;
        Ok(publication)
    }
}

/// `GET /stats` on a connection of its own.
pub(crate) fn stats(target: &Target) -> Result<Stats, Failure> {
    Http::connect(target)?.stats()
}

/// Asks for the stats until they are as `wanted`: what a server counts when it notices that a client is gone.
pub(crate) fn await_stats(
    target: &Target,
    expected: &str,
    wanted: impl Fn(&Stats) -> bool,
) -> Result<Stats, Failure> {
    const PAUSE: Duration = Duration::from_millis(5);
    let deadline = Instant::now() + target.patience;
    let mut http = Http::connect(target)?;
    loop {
        let stats = http.stats()?;
        if wanted(&stats) {
            return Ok(stats);
        }
        let observed = || format!("{stats:?} after {:?}", target.patience);
        ensure(Instant::now() < deadline, format!("{expected} in /stats"), observed())?;
        thread::sleep(PAUSE);
    }
}

/// Waits until the subscribers of earlier checks are forgotten.
pub(crate) fn settled(target: &Target) -> Result<Stats, Failure> {
    await_stats(target, "no subscribers", |stats| stats.subscribers.websocket == 0)
}
