//! The feed: the same items over XHR, an event stream and a WebSocket.

use framing::{Opcode, close};
use serde_json::Value;

use crate::check::ensure;
use crate::client::calls::{FEED, FEED_SSE, FEED_WS};
use crate::client::events::EventStream;
use crate::client::http::Http;
use crate::client::websocket::{Message, WebSocket, frame};
use crate::{Check, Failure, Target};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "the-feed-has-its-items", standard: "contract, feed", run: has_its_items },
    Check {
        name: "the-feed-is-the-same-over-an-event-stream",
        standard: "HTML standard, 9.2.6",
        run: event_stream,
    },
    Check { name: "the-feed-is-the-same-over-websocket", standard: "contract, feed", run: websocket },
    Check { name: "a-feed-stream-goes-on-after-the-id", standard: "HTML standard, 9.2.3", run: after_the_id },
    Check { name: "a-feed-stream-that-is-over-is-a-204", standard: "HTML standard, 9.2.3", run: over },
    Check {
        name: "a-feed-stream-after-no-whole-number-is-refused-with-400",
        standard: "contract, refusals",
        run: no_whole_number,
    },
    Check {
        name: "a-feed-client-is-not-heard-but-for-pings-and-closes",
        standard: "contract, feed",
        run: not_heard,
    },
];

fn items() -> impl Iterator<Item = (usize, &'static str)> {
    let text = |item| str::from_utf8(item).expect("JSON is UTF-8");
    (1..).zip(contract::Feed::get().items().iter().map(move |item| text(item)))
}

fn has_its_items(target: &Target) -> Result<(), Failure> {
    const ITEM_BYTES: std::ops::RangeInclusive<usize> = 200..=8 * 1024;
    let mut http = Http::connect(target)?;
    let body = http.get(FEED)?;
    body.expect_json(&[200])?;
    // Of what kind they are, whatever made them.
    let parsed: Vec<Value> = serde_json::from_slice(&body.body)
        .map_err(|error| Failure::new("a JSON array", error.to_string()))?;
    ensure(parsed.len() == 500, "500 items", parsed.len().to_string())?;
    for (id, item) in (1..).zip(&parsed) {
        let texts = ["title", "author", "published", "text"].iter().all(|name| item[name].is_string());
        let tags = item["tags"].as_array().is_some_and(|tags| tags.iter().all(Value::is_string));
        let members = item.as_object().map_or(0, serde_json::Map::len);
        let expected = format!("item {id} with the members of the contract, {ITEM_BYTES:?} bytes long");
        let fits = ITEM_BYTES.contains(&item.to_string().len());
        ensure(item["id"] == id && texts && tags && members == 6 && fits, expected, item.to_string())?;
    }
    let joined = items().map(|(_, item)| item).collect::<Vec<_>>().join(",");
    let expected = format!("[{joined}]").into_bytes();
    let difference = crate::client::difference(&expected, &body.body);
    ensure(body.body == expected, "the items of contract::Feed", format!("others{difference}"))?;
    ensure(http.get(FEED)?.body == expected, "the same again on the same connection", "other bytes")
}

fn expect_items(stream: &mut EventStream, after: usize) -> Result<(), Failure> {
    for (id, item) in items().skip(after) {
        stream.expect_block(&format!("id: {id}\ndata: {item}\n\n"))?;
    }
    stream.expect_end().map_err(|failure| failure.when("after the last item"))
}

fn event_stream(target: &Target) -> Result<(), Failure> {
    let mut stream = EventStream::open(target, FEED_SSE, &[])?;
    let cached = stream.head.field("cache-control").unwrap_or("none");
    ensure(cached == "no-store", "the field Cache-Control: no-store", cached)?;
    expect_items(&mut stream, 0)
}

fn websocket(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, FEED_WS)?;
    for (id, item) in items() {
        websocket.expect_text(item).map_err(|failure| failure.when(format!("as item {id}")))?;
    }
    websocket.expect_refusal(&[close::NORMAL])
}

fn after_the_id(target: &Target) -> Result<(), Failure> {
    for after in [0, 1, 250, 499] {
        let (path, id) = (format!("{FEED_SSE}?after={after}"), after.to_string());
        let header = [("Last-Event-ID", id.as_str())];
        let stale = format!("{FEED_SSE}?after=400");
        for (path, fields) in [(path.as_str(), &[][..]), (FEED_SSE, &header), (&stale, &header)] {
            let mut stream = EventStream::open(target, path, fields)?;
            let circumstance = || format!("to GET {path} with the fields {fields:?}");
            expect_items(&mut stream, after).map_err(|failure| failure.when(circumstance()))?;
        }
    }
    Ok(())
}

fn over(target: &Target) -> Result<(), Failure> {
    for after in ["500", "501", "18446744073709551616"] {
        let path = format!("{FEED_SSE}?after={after}");
        for (path, fields) in [(path.as_str(), &[][..]), (FEED_SSE, &[("Last-Event-ID", after)])] {
            let mut http = Http::connect(target)?;
            let answer = http.request("GET", path, fields, b"")?;
            let circumstance = format!("to GET {path} with the fields {fields:?}");
            ensure(answer.status == 204, "the status 204", answer.status.to_string())
                .map_err(|failure| failure.when(circumstance))?;
            http.stats()?;
        }
    }
    Ok(())
}

fn no_whole_number(target: &Target) -> Result<(), Failure> {
    for value in ["abc", "", "-1", "1.5"] {
        let path = format!("{FEED_SSE}?after={value}");
        for (path, fields) in [(path.as_str(), &[][..]), (FEED_SSE, &[("Last-Event-ID", value)])] {
            let answer = Http::connect(target)?.request_head("GET", path, fields)?;
            let circumstance = format!("to GET {path} with the fields {fields:?}");
            ensure(answer.status == 400, "the status 400", answer.status.to_string())
                .map_err(|failure| failure.when(circumstance))?;
        }
    }
    Ok(())
}

fn not_heard(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, FEED_WS)?;
    let said = [frame(Opcode::Text, b"text"), frame(Opcode::Binary, b"binary"), frame(Opcode::Ping, b"ping")];
    // It may all have been sent before this arrives: then there is no pong to come.
    let _ = websocket.send(&said.concat());
    let mut items = items();
    loop {
        match websocket.read() {
            Ok(Message::Pong(bytes)) if bytes == b"ping" => {}
            Ok(Message::Close(Some(close::NORMAL), _)) => break,
            Ok(Message::Text(text)) if items.next().is_some_and(|(_, item)| item.as_bytes() == text) => {}
            Ok(other) => return Err(Failure::new("the items, and a pong at most", other.to_string())),
            Err(interruption) => return Err(interruption.awaiting("the items and a close with 1000")),
        }
    }
    let left = items.count();
    ensure(left == 0, "all items before the close", format!("{left} fewer"))?;
    let mut leaves = WebSocket::connect(target, FEED_WS)?;
    leaves.socket.reset()?;
    leaves = WebSocket::connect(target, FEED_WS)?;
    leaves.send(&frame(Opcode::Close, &close::NORMAL.to_be_bytes()))?;
    while let Ok(message) = leaves.read() {
        if let Message::Close(code, _) = message {
            return ensure(code == Some(close::NORMAL), "a close with 1000", format!("{code:?}"));
        }
    }
    Err(Failure::new("a close with 1000, as the client closed", "the end of the connection"))
}
