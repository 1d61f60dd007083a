//! The contract as calls: what several checks ask of the server before or beside what they prove.

use std::thread;
use std::time::{Duration, Instant};

use contract::{Receipt, Stats};
use serde::{Deserialize, Serialize};

use crate::check::ensure;
use crate::client::http::Http;
use crate::client::websocket::{Message, WebSocket};
use crate::client::{abbreviate, difference};
use crate::{Failure, Target};

pub(crate) const ECHO: &str = "/ws/echo";
pub(crate) const BROADCAST: &str = "/ws/broadcast";
pub(crate) const COUNTDOWN: &str = "/ws/countdown";
pub(crate) const SSE: &str = "/sse";
pub(crate) const POLL: &str = "/poll";
pub(crate) const FEED: &str = "/feed";
pub(crate) const FEED_SSE: &str = "/feed/sse";
pub(crate) const FEED_WS: &str = "/feed/ws";

/// A publication as a subscriber receives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Publication {
    pub(crate) id: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<String>,
    pub(crate) data: String,
}

impl Publication {
    pub(crate) fn new(id: u64, data: &str) -> Self {
        Self { id, event: None, data: data.to_owned() }
    }

    pub(crate) fn named(id: u64, event: &str, data: &str) -> Self {
        Self { event: Some(event.to_owned()), ..Self::new(id, data) }
    }

    /// The exact bytes, escaped as the contract says, which is how `serde_json` does it.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("strings and a number are JSON")
    }

    /// The exact block of an event stream.
    pub(crate) fn block(&self) -> String {
        let event = self.event.as_ref().map_or(String::new(), |name| format!("event: {name}\n"));
        format!("id: {}\n{event}data: {}\n\n", self.id, self.json())
    }
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

    /// `GET /poll` with a query such as `?after=ID`, or an empty one; its answer is to be read.
    pub(crate) fn begin_poll(&mut self, query: &str) -> Result<(), Failure> {
        let request = self.head("GET", &format!("{POLL}{query}"), &[]);
        self.socket.send(&request).map_err(|i| i.awaiting("an open connection to poll on"))
    }

    /// Awaits the answer to a poll: these publications and no other, byte for byte.
    pub(crate) fn expect_polled(&mut self, publications: &[Publication]) -> Result<(), Failure> {
        let json: Vec<String> = publications.iter().map(Publication::json).collect();
        let expected = format!("[{}]", json.join(","));
        let answer = self.answer()?;
        answer.expect_json(&[200])?;
        let difference = difference(expected.as_bytes(), &answer.body);
        let observed = format!("{}{difference}", abbreviate(&answer.body));
        ensure(
            answer.body == expected.as_bytes(),
            format!("the body {}", abbreviate(expected.as_bytes())),
            observed,
        )
        .map_err(|failure| failure.when("of a poll"))
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

/// Subscribers of all transports.
pub(crate) fn total(stats: &Stats) -> u64 {
    let subscribers = stats.subscribers;
    subscribers.websocket + subscribers.sse + subscribers.long_poll
}

/// Waits until the subscribers of earlier checks are forgotten.
pub(crate) fn settled(target: &Target) -> Result<Stats, Failure> {
    await_stats(target, "no subscribers", |stats| total(stats) == 0)
}
