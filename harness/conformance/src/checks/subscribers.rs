//! Which subscribers there are: when one is forgotten, and when one is dropped.

use super::text;
use crate::check::ensure;
use crate::client::calls::{BROADCAST, await_stats, envelope, settled, stats};
use crate::client::http::Http;
use crate::client::socket::Socket;
use crate::client::websocket::{Message, WebSocket};
use crate::{Check, Failure, Target};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "a-subscriber-that-closes-is-forgotten",
        standard: "contract, paths",
        run: |target| forgotten(target, WebSocket::close),
    },
    Check {
        name: "a-subscriber-that-resets-is-forgotten",
        standard: "contract, paths",
        run: |target| forgotten(target, |subscriber| subscriber.socket.reset()),
    },
    Check {
        name: "a-subscriber-that-ends-without-a-close-is-forgotten",
        standard: "contract, paths",
        run: |target| {
            forgotten(target, |subscriber| {
                drop(subscriber);
                Ok(())
            })
        },
    },
    Check {
        name: "a-subscriber-within-the-replay-window-loses-nothing",
        standard: "contract, refusals",
        run: within_the_window,
    },
    Check {
        name: "a-lagging-subscriber-is-dropped-and-counted",
        standard: "contract, refusals",
        run: lagging_is_dropped,
    },
];

/// Long enough that no socket's buffers hold a replay window of them.
const PUBLICATION_BYTES: usize = 16 * 1024;
/// Published between two looks at `/stats`, while the other subscriber keeps up.
const BATCH: u64 = 64;
/// Far above what the buffers of both sockets and of a framework hold, beside the replay window.
const SLACK_BYTES: usize = 64 * 1024 * 1024;

fn forgotten(target: &Target, leave: fn(WebSocket) -> Result<(), Failure>) -> Result<(), Failure> {
    settled(target)?;
    let mut stays = WebSocket::subscribe(target)?;
    let leaves = [WebSocket::subscribe(target)?, WebSocket::subscribe(target)?];
    await_stats(target, "3 subscribers", |stats| stats.subscribers.websocket == 3)?;
    leaves.into_iter().try_for_each(leave)?;
    await_stats(target, "1 subscriber, as 2 of 3 left,", |stats| stats.subscribers.websocket == 1)?;
    let receipt = Http::connect(target)?.publish("", "still here")?;
    ensure(receipt.subscribers == 1, "a receipt with 1 subscriber", format!("{receipt:?}"))?;
    stays.expect_text(&envelope(receipt.id, "still here"))
}

fn within_the_window(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let mut idle = idle_subscriber(target)?;
    let lagged = stats(target)?.dropped.lagged;
    let mut http = Http::connect(target)?;
    let text = long_text(target);
    let mut ids = Vec::new();
    for _ in 0..target.limits.replay_window.get() {
        ids.push(http.publish("", &text)?.id);
    }
    let window = ids.len();
    for id in ids {
        let delivery = idle.expect_text(&envelope(id, &text));
        delivery.map_err(|failure| {
            failure.when(format!("for a subscriber that read nothing while {window} were published"))
        })?;
    }
    let now = stats(target)?.dropped.lagged;
    ensure(now == lagged, format!("{lagged} lagged subscribers still"), now.to_string())
}

fn lagging_is_dropped(target: &Target) -> Result<(), Failure> {
    let before = settled(target)?;
    let mut laggard = idle_subscriber(target)?;
    let mut reader = WebSocket::subscribe(target)?;
    let mut http = Http::connect(target)?;
    let text = long_text(target);
    let window = target.limits.replay_window.get() as u64;
    let most = window + (SLACK_BYTES / text.len()) as u64;
    let mut published = 0;
    while http.stats()?.dropped.lagged == before.dropped.lagged {
        let observed = || format!("none after {published} publications of {} bytes", text.len());
        ensure(published < most, "a subscriber that reads nothing to be dropped", observed())?;
        for _ in 0..BATCH {
            http.publish("", &text)?;
        }
        for id in before.publications + published + 1..=before.publications + published + BATCH {
            let delivery = reader.expect_text(&envelope(id, &text));
            delivery
                .map_err(|failure| failure.when("for a subscriber that reads, beside one that does not"))?;
        }
        published += BATCH;
    }
    ensure(
        published > window,
        format!("no subscriber to be dropped before it is more than {window} behind"),
        format!("one dropped after {published} publications"),
    )?;
    let stats = await_stats(target, "1 subscriber, as the lagging one was dropped,", |stats| {
        stats.subscribers.websocket == 1
    })?;
    let lagged = before.dropped.lagged + 1;
    let observed = stats.dropped.lagged;
    ensure(observed == lagged, format!("{lagged} lagged subscribers in /stats"), observed.to_string())?;
    reads_up_to_its_end(&mut laggard, before.publications, &text)?;
    reader.expect_quiet().map_err(|failure| failure.when("for the subscriber that read everything"))
}

/// What the dropped one still gets: publications without a gap, then a close with 1013 or the bare end.
fn reads_up_to_its_end(laggard: &mut WebSocket, newest: u64, text: &str) -> Result<(), Failure> {
    const TRY_AGAIN_LATER: u16 = framing::close::TRY_AGAIN_LATER;
    for id in newest + 1.. {
        match laggard.read() {
            Ok(Message::Text(payload)) if payload == envelope(id, text).as_bytes() => {}
            Ok(Message::Close(Some(TRY_AGAIN_LATER), _)) => return laggard.socket.expect_end(),
            Err(interruption) if interruption.is_end() => return Ok(()),
            other => {
                let expected = format!("publication {id}, a close with 1013, or the end of the connection");
                let observed = other.map_or_else(|i| i.to_string(), |message| message.to_string());
                return Err(Failure::new(expected, observed).when("for the dropped subscriber"));
            }
        }
    }
    Ok(())
}

fn idle_subscriber(target: &Target) -> Result<WebSocket, Failure> {
    WebSocket::over(Http::over(Socket::open_narrow(target)?, target), BROADCAST)
}

fn long_text(target: &Target) -> String {
    text(6, PUBLICATION_BYTES.min(target.limits.publication_bytes))
}
