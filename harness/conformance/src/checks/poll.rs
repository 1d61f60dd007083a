//! `GET /poll`: publications by long polling.

use std::thread;
use std::time::{Duration, Instant};

use crate::check::ensure;
use crate::client::calls::{POLL, Publication, await_stats, settled, stats};
use crate::client::http::Http;
use crate::{Check, Failure, Target};

use super::sse::publish;
use super::text;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "a-poll-is-answered-at-once-with-all-after-the-id",
        standard: "contract, poll",
        run: at_once,
    },
    Check { name: "a-poll-waits-for-the-next-publication", standard: "contract, poll", run: waits },
    Check {
        name: "a-poll-ends-with-204-when-nothing-came",
        standard: "RFC 9110, 15.3.5",
        run: ends_with_204,
    },
    Check {
        name: "a-poll-is-a-subscriber-while-it-waits",
        standard: "contract, publications",
        run: counted_while_it_waits,
    },
    Check {
        name: "polls-one-after-the-other-get-every-publication-once-and-in-order",
        standard: "contract, poll",
        run: one_after_the_other,
    },
    Check { name: "the-answer-to-a-poll-has-its-limit", standard: "contract, settings", run: limit },
    Check {
        name: "a-poll-goes-back-as-far-as-the-window",
        standard: "contract, replay",
        run: as_far_as_the_window,
    },
    Check {
        name: "a-poll-after-no-whole-number-is-refused-with-400",
        standard: "contract, refusals",
        run: no_whole_number,
    },
    Check {
        name: "a-poll-whose-client-leaves-is-forgotten-when-its-time-is-over",
        standard: "contract, clients that go away",
        run: forgotten,
    },
];

fn at_once(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    let mut published = publish(&mut http, 5)?;
    let awkward = "\"quoted\"\r\n\0 \u{2028}";
    published.push(Publication::named(http.publish("?event=named", awkward)?.id, "named", awkward));
    for skipped in [0, 1, 5] {
        let after = published[0].id - 1 + skipped as u64;
        http.begin_poll(&format!("?after={after}"))?;
        http.expect_polled(&published[skipped..])
            .map_err(|failure| failure.when(format!("after {after}")))?;
    }
    Ok(())
}

fn waits(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let mut poller = Http::connect(target)?;
    let mut http = Http::connect(target)?;
    let newest = stats(target)?.publications;
    // An id that is yet to come, as no id, means from now on.
    for query in [format!("?after={newest}"), String::new(), format!("?after={}", u64::MAX)] {
        poller.begin_poll(&query)?;
        await_stats(target, "1 poll that waits", |stats| stats.subscribers.long_poll == 1)?;
        let text = format!("awaited with {query}");
        let id = http.publish("", &text)?.id;
        poller.expect_polled(&[Publication::new(id, &text)])?;
    }
    Ok(())
}

fn ends_with_204(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    let newest = stats(target)?.publications;
    let wait = Duration::from_millis(target.timing.poll_wait_ms);
    let begun = Instant::now();
    http.begin_poll(&format!("?after={newest}"))?;
    let answer = http.answer()?;
    ensure(answer.status == 204, "the status 204", answer.status.to_string())?;
    // Clocks differ by a tick: an answer at once is what this is to find.
    ensure(
        begun.elapsed() >= wait * 9 / 10,
        format!("no 204 before {wait:?}"),
        format!("{:?}", begun.elapsed()),
    )?;
    let length = answer.field("content-length").unwrap_or("none");
    ensure(length == "none", "no Content-Length with a 204 (RFC 9110, 8.6)", length)?;
    // What would be a body is read as the next answer.
    http.stats()
        .map(|_| ())
        .map_err(|failure| failure.when("on the connection of a poll that ended with 204"))
}

fn counted_while_it_waits(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let mut pollers = (0..3).map(|_| Http::connect(target)).collect::<Result<Vec<_>, _>>()?;
    for poller in &mut pollers {
        poller.begin_poll("")?;
    }
    await_stats(target, "3 polls that wait", |stats| stats.subscribers.long_poll == 3)?;
    let receipt = Http::connect(target)?.publish("", "for three")?;
    ensure(receipt.subscribers == 3, "a receipt with 3 subscribers", format!("{receipt:?}"))?;
    for poller in &mut pollers {
        poller.expect_polled(&[Publication::new(receipt.id, "for three")])?;
    }
    let left = stats(target)?.subscribers.long_poll;
    ensure(left == 0, "no poll in /stats after all were answered", left.to_string())
}

fn one_after_the_other(target: &Target) -> Result<(), Failure> {
    const POLLERS: u64 = 4;
    const PUBLICATIONS: u64 = 300;
    let newest = stats(target)?.publications;
    let mut publisher = Http::connect(target)?;
    thread::scope(|scope| {
        let pollers: Vec<_> = (0..POLLERS)
            .map(|_| {
                scope.spawn(|| -> Result<(), Failure> {
                    let mut http = Http::connect(target)?;
                    let mut last = newest;
                    while last < newest + PUBLICATIONS {
                        http.begin_poll(&format!("?after={last}"))?;
                        let publications: Vec<Publication> = http.answer()?.json(200)?;
                        ensure(!publications.is_empty(), "at least one publication", "an empty array")?;
                        for publication in publications {
                            let text = format!("kept {}", last + 1 - newest);
                            let expected = Publication::new(last + 1, &text);
                            ensure(
                                publication == expected,
                                format!("{expected:?}"),
                                format!("{publication:?}"),
                            )?;
                            last += 1;
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        publish(&mut publisher, PUBLICATIONS)?;
        let died = |_| Err(Failure::new("a check that runs to its end", "a panic of a poller"));
        pollers.into_iter().try_for_each(|poller| poller.join().unwrap_or_else(died))
    })
}

fn limit(target: &Target) -> Result<(), Failure> {
    let limit = target.limits.poll_bytes;
    let mut http = Http::connect(target)?;
    let mut published = Vec::new();
    for seed in 0..2 * limit as u64 / 10_000 {
        let text = text(seed, 10_000.min(target.limits.publication_bytes));
        published.push(Publication::new(http.publish("", &text)?.id, &text));
    }
    let mut last = published[0].id - 1;
    let mut rest = published.as_slice();
    while !rest.is_empty() {
        http.begin_poll(&format!("?after={last}"))?;
        // As many as fit with what is between them and around them.
        let mut bytes = 1;
        let fits = rest.iter().take_while(|publication| {
            bytes += publication.json().len() + 1;
            bytes <= limit
        });
        let count = fits.count();
        http.expect_polled(&rest[..count])
            .map_err(|failure| failure.when(format!("of which {count} fit into {limit} bytes")))?;
        last += count as u64;
        rest = &rest[count..];
    }
    // One that is longer by itself is sent by itself.
    let long = "\0".repeat(target.limits.publication_bytes);
    let first = Publication::new(http.publish("", &long)?.id, &long);
    http.publish("", "after the long one")?;
    http.begin_poll(&format!("?after={last}"))?;
    http.expect_polled(&[first])
}

fn as_far_as_the_window(target: &Target) -> Result<(), Failure> {
    let window = target.limits.replay_window.get();
    let mut http = Http::connect(target)?;
    let published = publish(&mut http, window as u64 + 10)?;
    let kept = &published[10..];
    for after in [kept[0].id - 1, kept[0].id - 2, 0] {
        http.begin_poll(&format!("?after={after}"))?;
        http.expect_polled(kept).map_err(|failure| failure.when(format!("after {after}")))?;
    }
    Ok(())
}

fn no_whole_number(target: &Target) -> Result<(), Failure> {
    for after in ["abc", "", "-1", "1.5", "1e3", "0x10", "1%202", "%D9%A1"] {
        let path = format!("{POLL}?after={after}");
        let answer = Http::connect(target)?.get(&path)?;
        answer.error(&[400]).map_err(|failure| failure.when(format!("to GET {path}")))?;
    }
    Ok(())
}

fn forgotten(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let mut stays = Http::connect(target)?;
    let mut leaves = Http::connect(target)?;
    leaves.begin_poll("")?;
    await_stats(target, "1 poll that waits", |stats| stats.subscribers.long_poll == 1)?;
    leaves.socket.reset()?;
    settled(target).map_err(|failure| failure.when("after a poll whose client left"))?;
    let after = stats(target)?.publications;
    let id = stays.publish("", "still here")?.id;
    stays.begin_poll(&format!("?after={after}"))?;
    stays.expect_polled(&[Publication::new(id, "still here")])
}
