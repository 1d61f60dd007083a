//! What is the same on all transports, and what `/stats` says of each.

use std::thread;

use crate::check::ensure;
use crate::client::calls::{Publication, await_stats, settled, stats};
use crate::client::events::EventStream;
use crate::client::http::Http;
use crate::client::websocket::WebSocket;
use crate::{Check, Failure, Target};

use super::sse::publish;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "a-publication-reaches-all-transports-as-the-same-bytes",
        standard: "contract, publications",
        run: same_bytes,
    },
    Check {
        name: "a-message-of-a-websocket-reaches-the-other-transports",
        standard: "contract, paths",
        run: message_reaches_the_others,
    },
    Check {
        name: "stats-count-subscribers-by-transport",
        standard: "contract, paths",
        run: counted_by_transport,
    },
    Check {
        name: "event-streams-get-every-publication-once-and-in-order",
        standard: "contract, publications",
        run: once_and_in_order,
    },
    Check {
        name: "a-subscriber-over-websocket-gets-empty-pings",
        standard: "contract, clients that go away",
        run: pings,
    },
];

fn same_bytes(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let mut websocket = WebSocket::subscribe(target)?;
    let mut stream = EventStream::subscribe(target)?;
    let mut poller = Http::connect(target)?;
    let mut http = Http::connect(target)?;
    let longest = "é".repeat(target.limits.publication_bytes / 2);
    let texts = ["plain", "", "\"\\/\u{8}\t\n\u{c}\r\0\u{1f}\u{7f}", "κόσμε \u{2028} 👩‍👩‍👧", &longest];
    for text in texts {
        for name in [None, Some("näme \"quoted\"")] {
            poller.begin_poll("")?;
            await_stats(target, "1 poll that waits", |stats| stats.subscribers.long_poll == 1)?;
            let query = name.map_or("", |_| "?event=n%C3%A4me+%22quoted%22");
            let receipt = http.publish(query, text)?;
            ensure(receipt.subscribers == 3, "a receipt with 3 subscribers", format!("{receipt:?}"))?;
            let publication = match name {
                None => Publication::new(receipt.id, text),
                Some(name) => Publication::named(receipt.id, name, text),
            };
            websocket.expect_text(&publication.json()).map_err(|failure| failure.when("over WebSocket"))?;
            stream.expect(&publication).map_err(|failure| failure.when("over an event stream"))?;
            poller.expect_polled(&[publication])?;
        }
    }
    Ok(())
}

fn message_reaches_the_others(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let mut websocket = WebSocket::subscribe(target)?;
    let mut stream = EventStream::subscribe(target)?;
    let mut poller = Http::connect(target)?;
    poller.begin_poll("")?;
    await_stats(target, "1 poll that waits", |stats| stats.subscribers.long_poll == 1)?;
    let publication = Publication::new(stats(target)?.publications + 1, "from a subscriber");
    websocket.send_text("from a subscriber")?;
    websocket.expect_text(&publication.json())?;
    stream.expect(&publication)?;
    poller.expect_polled(&[publication])
}

fn counted_by_transport(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let websocket = WebSocket::subscribe(target)?;
    let streams = [EventStream::subscribe(target)?, EventStream::subscribe(target)?];
    let mut pollers = (0..3).map(|_| Http::connect(target)).collect::<Result<Vec<_>, _>>()?;
    for poller in &mut pollers {
        poller.begin_poll("")?;
    }
    await_stats(target, "1 WebSocket, 2 event streams and 3 polls", |stats| {
        let subscribers = stats.subscribers;
        (subscribers.websocket, subscribers.sse, subscribers.long_poll) == (1, 2, 3)
    })?;
    drop((websocket, streams, pollers));
    settled(target).map(|_| ())
}

fn once_and_in_order(target: &Target) -> Result<(), Failure> {
    const STREAMS: usize = 10;
    const PUBLICATIONS: u64 = 500;
    let connect = |_| EventStream::subscribe(target);
    let streams = (0..STREAMS).map(connect).collect::<Result<Vec<_>, _>>()?;
    let newest = stats(target)?.publications;
    let mut publisher = Http::connect(target)?;
    thread::scope(|scope| {
        let readers: Vec<_> = streams
            .into_iter()
            .map(|mut stream| {
                scope.spawn(move || {
                    (1..=PUBLICATIONS).try_for_each(|number| {
                        stream.expect(&Publication::new(newest + number, &format!("kept {number}")))
                    })
                })
            })
            .collect();
        publish(&mut publisher, PUBLICATIONS)?;
        let died = |_| Err(Failure::new("a check that runs to its end", "a panic of a reader"));
        readers.into_iter().try_for_each(|reader| reader.join().unwrap_or_else(died))
    })
}

/// They are not answered: no pong is asked for.
fn pings(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let mut websocket = WebSocket::subscribe(target)?;
    for _ in 0..3 {
        let payload = websocket.read_ping()?;
        ensure(payload.is_empty(), "an empty ping", crate::client::abbreviate(&payload))?;
    }
    let counted = stats(target)?.subscribers.websocket;
    ensure(counted == 1, "1 subscriber still, though it answers no ping", counted.to_string())
}
