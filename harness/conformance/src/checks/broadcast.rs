//! `WS /ws/broadcast`: each publication reaches each subscriber once, in order, byte for byte.

use std::thread;

use framing::Opcode;

use super::text;
use crate::check::ensure;
use crate::client::calls::{envelope, settled, stats};
use crate::client::difference;
use crate::client::http::Http;
use crate::client::websocket::{Message, WebSocket, fragment, frame};
use crate::{Check, Failure, Target};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "every-subscriber-gets-every-publication-once-and-in-order",
        standard: "contract, paths",
        run: reach,
    },
    Check {
        name: "a-message-of-a-subscriber-reaches-all-and-itself",
        standard: "contract, paths",
        run: message_reaches_all,
    },
    Check {
        name: "messages-of-one-subscriber-keep-their-order",
        standard: "contract, paths",
        run: messages_keep_their_order,
    },
    Check {
        name: "a-message-in-fragments-is-one-publication",
        standard: "RFC 6455, 5.4",
        run: message_in_fragments,
    },
    Check {
        name: "messages-of-every-size-are-published",
        standard: "contract, refusals",
        run: messages_of_every_size,
    },
    Check {
        name: "a-subscriber-is-counted-before-its-upgrade-is-answered",
        standard: "contract, paths",
        run: counted_before_the_answer,
    },
    Check {
        name: "nothing-published-after-the-upgrade-is-missed",
        standard: "contract, paths",
        run: nothing_missed,
    },
];

const SUBSCRIBERS: usize = 20;
const PUBLISHERS: u64 = 4;
/// In rounds, after each of which all have read everything: nobody can fall behind the replay window,
/// however few cores the machine has. Together 2,000 publications and 40,000 deliveries.
const ROUNDS: u64 = 20;
const PUBLICATIONS: u64 = 25;

fn reach(target: &Target) -> Result<(), Failure> {
    let connect = |_| WebSocket::subscribe(target);
    let mut subscribers = (0..SUBSCRIBERS).map(connect).collect::<Result<Vec<_>, _>>()?;
    let mut publishers =
        (0..PUBLISHERS).map(|_| Http::connect(target)).collect::<Result<Vec<_>, Failure>>()?;
    let mut newest = stats(target)?.publications;
    for round in 0..ROUNDS {
        let first = newest + 1;
        newest += PUBLISHERS * PUBLICATIONS;
        let (published, received) = thread::scope(|scope| {
            let readers: Vec<_> = subscribers
                .iter_mut()
                .map(|subscriber| scope.spawn(move || read(subscriber, first..=newest)))
                .collect();
            let writers: Vec<_> = (round * PUBLISHERS..)
                .zip(&mut publishers)
                .map(|(seed, http)| scope.spawn(move || publish(http, seed)))
                .collect();
            (joined(writers), joined(readers))
        });
        let mut published: Vec<(u64, String)> = published?.concat();
        published.sort();
        let ids = published.iter().map(|(id, _)| *id);
        ensure(
            ids.clone().eq(first..=newest),
            format!("receipts with the ids {first} to {newest}, each once"),
            format!("{:?}", ids.collect::<Vec<_>>()),
        )?;
        for (number, received) in received?.iter().enumerate() {
            for ((id, text), received) in published.iter().zip(received) {
                let expected = Message::Text(envelope(*id, text).into());
                ensure(
                    *received == expected,
                    format!("{expected} for subscriber {number}"),
                    received.to_string() + &difference(expected.payload(), received.payload()),
                )?;
            }
        }
    }
    for (number, subscriber) in subscribers.iter_mut().enumerate() {
        let quiet = subscriber.expect_quiet();
        quiet.map_err(|failure| {
            failure.when(format!("after the last publication, for subscriber {number}"))
        })?;
    }
    Ok(())
}

/// The ids and texts of what one publisher got receipts for.
fn publish(http: &mut Http, seed: u64) -> Result<Vec<(u64, String)>, Failure> {
    let publish = |number| {
        let seed = seed * PUBLICATIONS + number;
        let text = text(seed, 16 + (seed as usize * 7) % 240);
        Ok((http.publish("", &text)?.id, text))
    };
    (0..PUBLICATIONS).map(publish).collect()
}

/// The messages with these ids, which must come one after the other.
fn read(subscriber: &mut WebSocket, ids: impl Iterator<Item = u64>) -> Result<Vec<Message>, Failure> {
    let read = |id| {
        let message = subscriber.read().map_err(|i| i.awaiting(format!("publication {id}")))?;
        let begins = format!("{{\"id\":{id},");
        let in_order = message.payload().starts_with(begins.as_bytes());
        ensure(in_order, format!("publication {id}"), message.to_string())?;
        Ok(message)
    };
    ids.map(read).collect()
}

fn joined<T>(threads: Vec<thread::ScopedJoinHandle<'_, Result<T, Failure>>>) -> Result<Vec<T>, Failure> {
    let died = |_| Err(Failure::new("a check that runs to its end", "a panic of one of its threads"));
    threads.into_iter().map(|thread| thread.join().unwrap_or_else(died)).collect()
}

fn message_reaches_all(target: &Target) -> Result<(), Failure> {
    let mut subscribers = [WebSocket::subscribe(target)?, WebSocket::subscribe(target)?];
    let mut id = stats(target)?.publications;
    for sender in [0, 1, 0] {
        id += 1;
        let text = text(id, 50);
        subscribers[sender].send_text(&text)?;
        for (number, subscriber) in subscribers.iter_mut().enumerate() {
            let circumstance = format!("for subscriber {number} after a message of subscriber {sender}");
            let delivery = subscriber.expect_text(&envelope(id, &text));
            delivery.map_err(|failure| failure.when(circumstance))?;
        }
    }
    Ok(())
}

fn messages_keep_their_order(target: &Target) -> Result<(), Failure> {
    let mut sender = WebSocket::subscribe(target)?;
    let mut other = WebSocket::subscribe(target)?;
    let newest = stats(target)?.publications;
    // Half a window at once: neither can fall too far behind by it.
    let messages = (target.limits.replay_window.get() as u64 / 2).min(500);
    let texts: Vec<String> = (0..messages).map(|seed| text(seed, 20)).collect();
    let packet: Vec<u8> = texts.iter().flat_map(|text| frame(Opcode::Text, text.as_bytes())).collect();
    sender.send(&packet)?;
    for (id, text) in (newest + 1..).zip(&texts) {
        sender.expect_text(&envelope(id, text)).map_err(|failure| failure.when("for the sender"))?;
        other.expect_text(&envelope(id, text)).map_err(|failure| failure.when("for another subscriber"))?;
    }
    Ok(())
}

fn message_in_fragments(target: &Target) -> Result<(), Failure> {
    let mut subscriber = WebSocket::subscribe(target)?;
    let id = stats(target)?.publications + 1;
    subscriber.send(&fragment(Opcode::Text, false, b"in two "))?;
    subscriber.expect_quiet()?;
    subscriber.send(&fragment(Opcode::Continuation, true, b"parts"))?;
    subscriber.expect_text(&envelope(id, "in two parts"))
}

fn messages_of_every_size(target: &Target) -> Result<(), Failure> {
    let longest = target.limits.publication_bytes;
    let mut subscriber = WebSocket::subscribe(target)?;
    let mut id = stats(target)?.publications;
    for bytes in [0, 1, 125, 126, 65535, longest].map(|bytes| bytes.min(longest)) {
        id += 1;
        let text = text(bytes as u64, bytes);
        subscriber.send_text(&text)?;
        subscriber.expect_text(&envelope(id, &text))?;
    }
    Ok(())
}

fn counted_before_the_answer(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    settled(target)?;
    let mut subscribers = Vec::new();
    for expected in 1..=50 {
        subscribers.push(WebSocket::subscribe(target)?);
        let counted = http.stats()?.subscribers.websocket;
        ensure(
            counted == expected,
            format!("{expected} subscribers in /stats after as many upgrades were answered"),
            counted.to_string(),
        )?;
    }
    Ok(())
}

fn nothing_missed(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    for round in 1..=100 {
        let mut subscriber = WebSocket::subscribe(target)?;
        let id = http.publish("", "at once")?.id;
        let delivery = subscriber.expect_text(&envelope(id, "at once"));
        delivery.map_err(|failure| {
            failure.when(format!("published after the answer to the upgrade, in round {round}"))
        })?;
    }
    Ok(())
}
