//! `GET /sse`: publications as an event stream.

use crate::check::ensure;
use crate::client::calls::{Publication, SSE, await_stats, settled, total};
use crate::client::events::{EventStream, HEARTBEAT};
use crate::client::http::Http;
use crate::client::socket::Interruption;
use crate::{Check, Failure, Target};

use super::text;

pub(super) const CHECKS: &[Check] = &[
    Check { name: "an-event-stream-has-its-fields", standard: "HTML standard, 9.2.3", run: fields },
    Check {
        name: "an-event-stream-begins-with-its-retry-at-once",
        standard: "HTML standard, 9.2.6",
        run: |target| EventStream::subscribe(target).map(|_| ()),
    },
    Check {
        name: "an-event-stream-is-sent-as-the-contract-writes-it",
        standard: "contract, sse",
        run: exact_blocks,
    },
    Check {
        name: "an-event-stream-is-read-as-by-a-browser",
        standard: "HTML standard, 9.2.6",
        run: event_names,
    },
    Check {
        name: "any-text-reaches-an-event-stream-unchanged",
        standard: "HTML standard, 9.2.6",
        run: any_text,
    },
    Check {
        name: "publications-of-every-size-reach-an-event-stream",
        standard: "contract, sse",
        run: every_size,
    },
    Check { name: "an-event-stream-gets-heartbeats", standard: "HTML standard, 9.2.7", run: heartbeats },
    Check {
        name: "an-event-stream-is-counted-before-its-head",
        standard: "contract, publications",
        run: counted_before_the_head,
    },
    Check {
        name: "nothing-published-after-the-head-of-an-event-stream-is-missed",
        standard: "contract, publications",
        run: nothing_missed,
    },
    Check {
        name: "an-event-stream-begins-right-after-the-id",
        standard: "HTML standard, 9.2.3",
        run: after_the_id,
    },
    Check {
        name: "an-event-stream-after-an-id-to-come-means-from-now-on",
        standard: "contract, replay",
        run: from_now_on,
    },
    Check {
        name: "an-event-stream-goes-back-as-far-as-the-window",
        standard: "contract, replay",
        run: as_far_as_the_window,
    },
    Check {
        name: "a-last-event-id-that-is-no-whole-number-is-refused-with-400",
        standard: "contract, refusals",
        run: no_whole_number,
    },
    Check {
        name: "an-event-stream-that-ends-is-forgotten",
        standard: "contract, clients that go away",
        run: |target| forgotten(target, drop),
    },
    Check {
        name: "an-event-stream-that-resets-is-forgotten",
        standard: "contract, clients that go away",
        run: |target| forgotten(target, |stream| drop(stream.socket.reset())),
    },
    Check {
        name: "an-event-stream-whose-client-ends-its-half-is-forgotten",
        standard: "contract, clients that go away",
        run: half_ended,
    },
    Check {
        name: "a-lagging-event-stream-is-ended-and-counted",
        standard: "contract, refusals",
        run: lagging_is_ended,
    },
];

fn fields(target: &Target) -> Result<(), Failure> {
    let asked =
        [("Accept", "text/event-stream"), ("Accept-Encoding", "gzip, br"), ("Cache-Control", "no-cache")];
    let stream = EventStream::open(target, SSE, &asked)?;
    let field = |name| stream.head.field(name).unwrap_or("none");
    let cached = field("cache-control");
    ensure(cached == "no-store", "the field Cache-Control: no-store", cached)?;
    let coding = field("content-encoding");
    ensure(coding == "none" || coding == "identity", "no Content-Encoding", coding)
}

fn exact_blocks(target: &Target) -> Result<(), Failure> {
    let mut stream = EventStream::subscribe(target)?;
    let mut http = Http::connect(target)?;
    let id = http.publish("", "plain text")?.id;
    stream.expect_block(&format!("id: {id}\ndata: {{\"id\":{id},\"data\":\"plain text\"}}\n\n"))?;
    let id = http.publish("?event=name", "plain text")?.id;
    let json = format!("{{\"id\":{id},\"event\":\"name\",\"data\":\"plain text\"}}");
    stream.expect_block(&format!("id: {id}\nevent: name\ndata: {json}\n\n"))
}

fn event_names(target: &Target) -> Result<(), Failure> {
    let mut stream = EventStream::subscribe(target)?;
    let mut http = Http::connect(target)?;
    let longest = "n".repeat(128);
    let long = format!("?event={longest}");
    let names = [
        ("?event=tick", "tick"),
        ("?event=a%3A+b", "a: b"),
        ("?event=+leading", " leading"),
        ("?event=gr%C3%BC%C3%9Fe", "grüße"),
        ("?event=message", "message"),
        ("?event=first&event=second", "first"),
        (&long, &longest),
    ];
    for (query, name) in names {
        let id = http.publish(query, "named")?.id;
        stream.expect_event(&Publication::named(id, name, "named"))?;
        // The next one must not inherit the name.
        let id = http.publish("", "unnamed")?.id;
        stream.expect_event(&Publication::new(id, "unnamed"))?;
    }
    Ok(())
}

fn any_text(target: &Target) -> Result<(), Failure> {
    let mut stream = EventStream::subscribe(target)?;
    let mut http = Http::connect(target)?;
    let controls: String = (0..0x20_u8).map(char::from).chain(['\u{7f}', '\u{85}']).collect();
    let texts = [
        "",
        " leading space",
        "\n",
        "two\nlines\n\nand an empty one\n",
        "CR\rand CR LF\r\n\r\r",
        "NUL \0",
        "data: x\n\nid: 7\nevent: forged\ndata: y\n\n",
        ": no comment",
        &controls,
        "κόσμε 👩‍👩‍👧 \u{2028}\u{2029} \u{feff} \u{ffff} \u{10ffff}",
        r#""quoted" and \back\slashed\u0041"#,
    ];
    for text in texts {
        let publication = Publication::new(http.publish("", text)?.id, text);
        stream.expect_event(&publication)?;
        let publication = Publication::new(http.publish("", text)?.id, text);
        stream.expect(&publication)?;
    }
    Ok(())
}

fn every_size(target: &Target) -> Result<(), Failure> {
    let longest = target.limits.publication_bytes;
    let mut stream = EventStream::subscribe(target)?;
    let mut http = Http::connect(target)?;
    for bytes in [1, 100, 4096, 16 * 1024, longest - 1, longest] {
        let text = text(bytes as u64, bytes.min(longest));
        let id = http.publish("", &text)?.id;
        stream.expect(&Publication::new(id, &text))?;
    }
    // Six bytes each, as JSON.
    let controls = "\0".repeat(longest);
    let id = http.publish("", &controls)?.id;
    stream.expect(&Publication::new(id, &controls))
}

fn heartbeats(target: &Target) -> Result<(), Failure> {
    let mut stream = EventStream::subscribe(target)?;
    let mut http = Http::connect(target)?;
    for _ in 0..2 {
        for _ in 0..2 {
            let block = stream.read_block().map_err(|interruption| interruption.awaiting("a heartbeat"))?;
            ensure(block == HEARTBEAT, format!("the heartbeat {HEARTBEAT:?}"), format!("{block:?}"))?;
        }
        let id = http.publish("", "between")?.id;
        stream.expect(&Publication::new(id, "between"))?;
    }
    Ok(())
}

fn counted_before_the_head(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let mut http = Http::connect(target)?;
    let mut streams = Vec::new();
    for expected in 1..=20 {
        streams.push(EventStream::open(target, SSE, &[])?);
        let counted = http.stats()?.subscribers.sse;
        let wanted = format!("{expected} event streams in /stats after as many heads");
        ensure(counted == expected, wanted, counted.to_string())?;
    }
    Ok(())
}

fn nothing_missed(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    for round in 1..=50 {
        let mut stream = EventStream::open(target, SSE, &[])?;
        let id = http.publish("", "at once")?.id;
        let retry = stream.read().map_err(|i| i.awaiting("the block of retry"))?;
        ensure(retry.starts_with("retry: "), "the block of retry", format!("{retry:?}"))?;
        let delivery = stream.expect(&Publication::new(id, "at once"));
        delivery.map_err(|failure| failure.when(format!("published after the head, in round {round}")))?;
    }
    Ok(())
}

fn after_the_id(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    let mut published = publish(&mut http, 10)?;
    let first = published[0].id;
    for skipped in [0, 1, 9, 10] {
        let id = (first - 1 + skipped).to_string();
        let header = [("Last-Event-ID", id.as_str())];
        // A browser that connects again repeats the URL as it was: if both are there, the field counts.
        let both =
            [format!("{SSE}?after={id}"), format!("{SSE}?after=0"), format!("{SSE}?after={}", u64::MAX)];
        let cases = [(both[0].as_str(), &[][..]), (SSE, &header), (&both[1], &header), (&both[2], &header)];
        for (path, fields) in cases {
            let mut stream = EventStream::subscribe_to(target, path, fields)?;
            let live = http.publish("", "live")?.id;
            published.push(Publication::new(live, "live"));
            for publication in &published[skipped as usize..] {
                let circumstance = format!("to GET {path} with the fields {fields:?}");
                stream.expect(publication).map_err(|failure| failure.when(circumstance))?;
            }
        }
    }
    Ok(())
}

/// Publishes `count` texts.
pub(super) fn publish(http: &mut Http, count: u64) -> Result<Vec<Publication>, Failure> {
    let publish = |number| {
        let text = format!("kept {number}");
        Ok(Publication::new(http.publish("", &text)?.id, &text))
    };
    (1..=count).map(publish).collect()
}

fn from_now_on(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    for ahead in [1, 1_000_000, u64::MAX] {
        let after = http.publish("", "before")?.id.saturating_add(ahead);
        let mut stream = EventStream::subscribe_to(target, &format!("{SSE}?after={after}"), &[])?;
        let id = http.publish("", "now")?.id;
        let delivery = stream.expect(&Publication::new(id, "now"));
        delivery.map_err(|failure| failure.when(format!("after an id {ahead} above the newest")))?;
    }
    Ok(())
}

fn as_far_as_the_window(target: &Target) -> Result<(), Failure> {
    let window = target.limits.replay_window.get();
    let mut http = Http::connect(target)?;
    let published = publish(&mut http, window as u64 + 10)?;
    let kept = &published[10..];
    // The oldest kept, exactly; one that has just gone; one long gone.
    for after in [kept[0].id - 1, kept[0].id - 2, 0] {
        let mut stream = EventStream::subscribe_to(target, SSE, &[("Last-Event-ID", &after.to_string())])?;
        for publication in kept {
            let replayed = stream.expect(publication);
            replayed.map_err(|failure| failure.when(format!("of a replay after {after}")))?;
        }
    }
    Ok(())
}

fn no_whole_number(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    for value in ["abc", "", "-1", "1.5", "1e3", "0x10", "1 2", "+1"] {
        let query = format!("{SSE}?after={}", value.replace(' ', "%20").replace('+', "%2B"));
        for (path, fields) in [(SSE, &[("Last-Event-ID", value)][..]), (query.as_str(), &[])] {
            let answer = Http::connect(target)?.request_head("GET", path, fields)?;
            let circumstance = format!("to GET {path} with the fields {fields:?}");
            ensure(answer.status == 400, "the status 400", answer.status.to_string())
                .map_err(|failure| failure.when(circumstance))?;
        }
    }
    settled(target).map(|_| ()).map_err(|failure| failure.when("after refused event streams"))
}

fn forgotten(target: &Target, leave: fn(EventStream)) -> Result<(), Failure> {
    settled(target)?;
    let mut stays = EventStream::subscribe(target)?;
    let leaves = [EventStream::subscribe(target)?, EventStream::subscribe(target)?];
    await_stats(target, "3 event streams", |stats| stats.subscribers.sse == 3)?;
    leaves.into_iter().for_each(leave);
    await_stats(target, "1 event stream, as 2 of 3 left,", |stats| stats.subscribers.sse == 1)?;
    let receipt = Http::connect(target)?.publish("", "still here")?;
    ensure(receipt.subscribers == 1, "a receipt with 1 subscriber", format!("{receipt:?}"))?;
    stays.expect(&Publication::new(receipt.id, "still here"))
}

fn half_ended(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let stream = EventStream::subscribe(target)?;
    await_stats(target, "1 event stream", |stats| stats.subscribers.sse == 1)?;
    stream.socket.finish_sending();
    await_stats(target, "no event stream, as its client ended its half,", |stats| {
        stats.subscribers.sse == 0
    })?;
    Ok(())
}

/// What no buffers of sockets or frameworks hold beside the replay window.
const SLACK_BYTES: usize = 16 * 1024 * 1024;

fn lagging_is_ended(target: &Target) -> Result<(), Failure> {
    let before = settled(target)?;
    let mut laggard = EventStream::subscribe_narrow(target)?;
    let mut http = Http::connect(target)?;
    let text = text(9, (16 * 1024).min(target.limits.publication_bytes));
    let published = target.limits.replay_window.get() + SLACK_BYTES / text.len();
    for _ in 0..published {
        http.publish("", &text)?;
    }
    // Now there is room to write again.
    let mut read = 0;
    let end = loop {
        match laggard.read() {
            Ok(block) if block == Publication::new(before.publications + read + 1, &text).block() => {
                read += 1;
            }
            Ok(other) => {
                let expected = format!("publication {} or the end", before.publications + read + 1);
                return Err(Failure::new(expected, format!("{} bytes of another block", other.len())));
            }
            Err(end) => break end,
        }
    };
    // It may be cut off within a block.
    let ended = !matches!(end, Interruption::Silence(_)) && read < published as u64;
    let expected = format!("an event stream that ends, as it was far behind after {published} publications");
    ensure(ended, expected, format!("{read} of them, and then {end}"))?;
    await_stats(target, "1 lagged subscriber more, and none left,", |stats| {
        total(stats) == 0 && stats.dropped.lagged == before.dropped.lagged + 1
    })?;
    Ok(())
}
