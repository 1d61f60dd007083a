//! `POST /publish`: receipts, names, what is refused, and the JSON that subscribers get.

use std::iter;

use contract::Receipt;

use super::text;
use crate::check::ensure;
use crate::client::calls::{Publication, envelope, settled, stats};
use crate::client::http::Http;
use crate::client::websocket::WebSocket;
use crate::{Check, Failure, Target};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "receipts-count-by-one", standard: "contract, paths", run: receipts_count_by_one },
    Check {
        name: "receipts-count-the-subscribers",
        standard: "contract, paths",
        run: receipts_count_subscribers,
    },
    Check {
        name: "a-publication-is-sent-as-the-contract-writes-it",
        standard: "contract, paths",
        run: exact_envelope,
    },
    Check {
        name: "event-names-are-sent-with-the-publication",
        standard: "contract, paths",
        run: event_names,
    },
    Check { name: "any-text-survives-its-json", standard: "contract, paths", run: any_text },
    Check { name: "publications-of-every-size-are-sent", standard: "contract, refusals", run: every_size },
    Check { name: "a-chunked-body-is-read", standard: "RFC 9112, 7.1", run: chunked_body },
    Check {
        name: "a-publication-over-the-limit-is-refused-with-413",
        standard: "contract, refusals",
        run: over_the_limit,
    },
    Check {
        name: "a-length-over-the-limit-is-refused-before-the-body",
        standard: "contract, refusals",
        run: announced_over_the_limit,
    },
    Check {
        name: "a-chunked-body-over-the-limit-is-refused-with-413",
        standard: "contract, refusals",
        run: chunked_over_the_limit,
    },
    Check {
        name: "a-publication-that-is-not-utf8-is-refused-with-400",
        standard: "contract, refusals",
        run: not_utf8,
    },
    Check {
        name: "bad-event-names-are-refused-with-400",
        standard: "contract, refusals",
        run: bad_event_names,
    },
];

fn receipts_count_by_one(target: &Target) -> Result<(), Failure> {
    let newest = settled(target)?.publications;
    let mut http = Http::connect(target)?;
    for id in newest + 1..=newest + 100 {
        let receipt = http.publish("", "counted")?;
        ensure(
            receipt == Receipt { id, subscribers: 0 },
            format!("id {id}, 0 subscribers"),
            format!("{receipt:?}"),
        )?;
    }
    let counted = stats(target)?.publications;
    ensure(counted == newest + 100, format!("{} publications in /stats", newest + 100), counted.to_string())
}

fn receipts_count_subscribers(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let mut http = Http::connect(target)?;
    let mut subscribers = Vec::new();
    for expected in 1..=5 {
        subscribers.push(WebSocket::subscribe(target)?);
        let receipt = http.publish("", "counted")?;
        ensure(
            receipt.subscribers == expected,
            format!("a receipt with {expected} subscribers"),
            format!("{receipt:?}"),
        )?;
    }
    Ok(())
}

fn exact_envelope(target: &Target) -> Result<(), Failure> {
    let mut subscriber = WebSocket::subscribe(target)?;
    let mut http = Http::connect(target)?;
    let id = http.publish("", "plain text")?.id;
    subscriber.expect_text(&envelope(id, "plain text"))?;
    let id = http.publish("?event=name", "plain text")?.id;
    subscriber.expect_text(&format!(r#"{{"id":{id},"event":"name","data":"plain text"}}"#))
}

fn event_names(target: &Target) -> Result<(), Failure> {
    let mut subscriber = WebSocket::subscribe(target)?;
    let mut http = Http::connect(target)?;
    let names = [
        ("?event=tick", "tick"),
        ("?a=b&event=tick&c=d", "tick"),
        ("?event=two+words", "two words"),
        ("?event=two%20words", "two words"),
        ("?event=%22quoted%5C%22", r#""quoted\""#),
        ("?event=gr%C3%BC%C3%9Fe", "grüße"),
        ("?event=a%26b%3Dc", "a&b=c"),
    ];
    for (query, name) in names {
        let id = http.publish(query, "named")?.id;
        let publication = subscriber.expect_publication(id)?;
        let expected = Publication { id, event: Some(name.to_owned()), data: "named".to_owned() };
        ensure(publication == expected, format!("{expected:?}"), format!("{publication:?}"))?;
    }
    Ok(())
}

fn any_text(target: &Target) -> Result<(), Failure> {
    let mut subscriber = WebSocket::subscribe(target)?;
    let mut http = Http::connect(target)?;
    let controls: String = (0..0x20_u8).map(char::from).chain(['\u{7f}', '\u{85}']).collect();
    let texts = [
        "",
        " ",
        r#"{"id":1,"data":"not an envelope"}"#,
        r#""quoted" and \back\slashed\u0041 and a\nb"#,
        "lines\nof\r\ntext\r\ttabbed",
        &controls,
        "κόσμε 👩‍👩‍👧 \u{2028}\u{2029} \u{feff} \u{ffff} \u{10ffff}",
        "</script><!-- & ' ` -->",
    ];
    for text in texts {
        let id = http.publish("", text)?.id;
        let publication = subscriber.expect_publication(id)?;
        ensure(publication.data == text, format!("the data {text:?}"), format!("{:?}", publication.data))?;
    }
    Ok(())
}

fn every_size(target: &Target) -> Result<(), Failure> {
    let longest = target.limits.publication_bytes;
    let mut subscriber = WebSocket::subscribe(target)?;
    let mut http = Http::connect(target)?;
    for bytes in [1, 100, 125, 126, 4096, 65535 - 40, longest - 1, longest].map(|bytes| bytes.min(longest)) {
        let text = text(bytes as u64, bytes);
        let id = http.publish("", &text)?.id;
        subscriber.expect_text(&envelope(id, &text))?;
    }
    // The limit is the body's, however long its JSON becomes.
    let quotes = "\"".repeat(longest);
    let id = http.publish("", &quotes)?.id;
    let publication = subscriber.expect_publication(id)?;
    ensure(
        publication.data == quotes,
        format!("{longest} quotation marks"),
        format!("another text of {} bytes", publication.data.len()),
    )
}

fn chunked_body(target: &Target) -> Result<(), Failure> {
    let mut subscriber = WebSocket::subscribe(target)?;
    let mut http = Http::connect(target)?;
    let text = format!("é{}", text(5, 5000));
    // The first chunk ends within the first letter.
    let chunks = iter::once(&text.as_bytes()[..1]).chain(text.as_bytes()[1..].chunks(999));
    let mut body: Vec<u8> = chunks.flat_map(chunk).collect();
    body.extend(b"0\r\n\r\n");
    for round in 1..=2 {
        let answer = http.request("POST", "/publish", &[("Transfer-Encoding", "chunked")], &body)?;
        let receipt: Receipt = answer
            .json(202)
            .map_err(|failure| failure.when(format!("to chunked request {round} of a connection")))?;
        subscriber.expect_text(&envelope(receipt.id, &text))?;
    }
    Ok(())
}

fn over_the_limit(target: &Target) -> Result<(), Failure> {
    let too_long = vec![b'x'; target.limits.publication_bytes + 1];
    nothing_is_published(target, || {
        let refusal = Http::connect(target)?.post("/publish", &too_long)?.error(&[413]);
        refusal.map_err(|failure| failure.when(format!("to a body of {} bytes", too_long.len())))
    })
}

fn announced_over_the_limit(target: &Target) -> Result<(), Failure> {
    nothing_is_published(target, || {
        for length in ["10737418240", &(target.limits.publication_bytes + 1).to_string()] {
            // No body follows: a server that waits for one is found out by its silence.
            let answer =
                Http::connect(target)?.request("POST", "/publish", &[("Content-Length", length)], b"");
            let circumstance = format!("to a Content-Length of {length} before any body");
            answer.and_then(|answer| answer.error(&[413])).map_err(|failure| failure.when(circumstance))?;
        }
        Ok(())
    })
}

fn chunked_over_the_limit(target: &Target) -> Result<(), Failure> {
    let chunks = chunk(&[b'x'; 4096]).repeat(target.limits.publication_bytes / 4096 + 1);
    nothing_is_published(target, || {
        for (what, end) in [("is too long", &b"0\r\n\r\n"[..]), ("is too long and does not end", b"")] {
            let mut http = Http::connect(target)?;
            let body = [&chunks, end].concat();
            let answer = http.request("POST", "/publish", &[("Transfer-Encoding", "chunked")], &body)?;
            let circumstance = format!("to a chunked body that {what}");
            answer.error(&[413]).map_err(|failure| failure.when(circumstance))?;
        }
        Ok(())
    })
}

fn not_utf8(target: &Target) -> Result<(), Failure> {
    nothing_is_published(target, || {
        // No such byte; an overlong NUL; a surrogate; a letter cut off; beyond the last code point.
        for body in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"caf\xc3", b"\xf4\x90\x80\x80"] {
            let answer = Http::connect(target)?.post("/publish", body)?;
            let circumstance = format!("to the body \"{}\"", body.escape_ascii());
            answer.error(&[400]).map_err(|failure| failure.when(circumstance))?;
        }
        Ok(())
    })
}

fn bad_event_names(target: &Target) -> Result<(), Failure> {
    nothing_is_published(target, || {
        let long = "n".repeat(129);
        // A line break would begin another field of an event stream: LF, CR, and what some take for one.
        let forged =
            ["a%0Ab", "a%0Db", "%0A", "%0D", "a%0D%0Adata:+forged%0D%0A%0D%0A", "a%C2%85b", "a%0Bb", "a%0Cb"];
        let controls = ["a%00b", "a%09b", "a%1Fb", "a%7Fb", "a%C2%80b", "a%C2%9Fb"];
        // An EventSource has events of its own of these names (HTML standard, section 9.2.2).
        let others = ["", "open", "error", &long, "&event=second"];
        for name in forged.iter().chain(&controls).chain(&others) {
            let answer = Http::connect(target)?.post(&format!("/publish?event={name}"), b"text")?;
            answer.error(&[400]).map_err(|failure| failure.when(format!("to POST /publish?event={name}")))?;
        }
        Http::connect(target)?.post("/publish?event", b"text")?.error(&[400])?;
        Ok(())
    })
}

/// Runs what must be refused, and looks whether a publication came of it.
fn nothing_is_published(
    target: &Target,
    refused: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let before = stats(target)?.publications;
    refused()?;
    let after = stats(target)?.publications;
    ensure(after == before, format!("{before} publications still, as it was refused"), after.to_string())
}

/// One chunk of a chunked body (RFC 9112, section 7.1).
fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
