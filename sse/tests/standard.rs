//! The parser against the standard's algorithm as it is written, and its examples, however the stream is split.

use proptest::prelude::*;
use sse::Parser;

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Outcome {
    /// Id, name and data of each event.
    events: Vec<[String; 3]>,
    last_event_id: String,
    retry_ms: Option<u64>,
}

/// HTML standard, section 9.2.6, step by step on the whole stream: slow and plain.
fn by_the_standard(stream: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(stream);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    // What follows the last line break has no end.
    lines.pop();
    let mut outcome = Outcome::default();
    let (mut data, mut name, mut id) = (String::new(), String::new(), String::new());
    for line in lines {
        if line.is_empty() {
            outcome.last_event_id.clone_from(&id);
            if !data.is_empty() {
                data.pop();
                let kind = if name.is_empty() { "message".to_owned() } else { name.clone() };
                outcome.events.push([id.clone(), kind, data.clone()]);
            }
            data.clear();
            name.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut name),
            "data" => data = data + value + "\n",
            "id" if !value.contains('\0') => value.clone_into(&mut id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                outcome.retry_ms = Some(value.parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }
    outcome
}

/// The parser given the stream in these pieces.
fn parsed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut parser = Parser::new();
    let mut events = Vec::new();
    for mut piece in pieces {
        while let Some(event) = parser.next(&mut piece) {
            events.push([text(event.id), text(event.name), text(event.data)]);
        }
        assert!(piece.is_empty(), "all is read");
    }
    Outcome { events, last_event_id: text(parser.last_event_id()), retry_ms: parser.retry_ms() }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn events(stream: &str) -> Vec<[String; 3]> {
    parsed([stream.as_bytes()]).events
}

fn event(id: &str, name: &str, data: &str) -> [String; 3] {
    [id, name, data].map(str::to_owned)
}

#[test]
fn the_examples_of_the_standard_give_what_it_says() {
    // Section 9.2.6, in its order.
    let stocks = "data: YHOO\ndata: +2\ndata: 10\n\n";
    assert_eq!(events(stocks), [event("", "message", "YHOO\n+2\n10")]);
    let ids = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
    assert_eq!(
        events(ids),
        [
            event("1", "message", "first event"),
            event("", "message", "second event"),
            event("", "message", " third event")
        ]
    );
    assert_eq!(events("data\n\ndata\ndata\n\ndata:"), [event("", "message", ""), event("", "message", "\n")]);
    assert_eq!(
        events("data:test\n\ndata: test\n\n"),
        [event("", "message", "test"), event("", "message", "test")]
    );
    // Section 9.2.2.
    let added = "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n";
    assert_eq!(events(added), [event("", "add", "73857293"), event("", "remove", "2153")]);
}

#[test]
fn what_the_standard_leaves_out_is_left_out() {
    assert_eq!(
        events("event: named\n\ndata: x\n\n"),
        [event("", "message", "x")],
        "a name without data is forgotten"
    );
    assert_eq!(events("id: 1\0\ndata: x\n\n"), [event("", "message", "x")], "an id with NUL");
    assert!(
        events("Data: x\n data: y\ndata : z\n\n").is_empty(),
        "names of fields are compared byte for byte"
    );
    assert!(events("data: cut off\n").is_empty(), "the end of the stream completes no event");
    assert_eq!(parsed([&b"retry: 10\nretry: 1s\nretry:\nretry: -1\n"[..]]).retry_ms, Some(10));
    assert_eq!(parsed([&b"id: 7\n\n"[..]]).last_event_id, "7", "an id alone is remembered");
}

#[test]
fn every_split_in_two_gives_the_same() {
    let stream = "\u{feff}retry: 1500\r\n\r\n:\n\nid: 1\nevent: näme\rdata: {\"a\":\"\0\"}\r\n\r\ndata:  é\rdata\n\n\rid\ndata: last\n\n";
    let whole = by_the_standard(stream.as_bytes());
    assert_eq!(whole.events.len(), 3);
    for at in 0..=stream.len() {
        let (front, back) = stream.as_bytes().split_at(at);
        assert_eq!(parsed([front, back]), whole, "split at {at}");
    }
    assert_eq!(parsed(stream.as_bytes().chunks(1)), whole, "byte by byte");
}

#[test]
fn what_it_holds_is_told_and_given_back_between_events() {
    let mut parser = Parser::new();
    let event = format!("id: 17\nevent: name\ndata: {}\n\n", "x".repeat(10_000));
    let (start, end) = event.split_at(9_000);
    assert!(parser.next(&mut start.as_bytes()).is_none());
    assert!((8_900..9_100).contains(&parser.held_bytes()), "{}", parser.held_bytes());
    parser.shrink_to(0);
    let mut end = end.as_bytes();
    assert_eq!(parser.next(&mut end).map(|event| event.data.len()), Some(10_000), "nothing of it is lost");
    assert!(parser.next(&mut end).is_none());
    assert_eq!(parser.held_bytes(), 2 * "17".len(), "the id is remembered");
    parser.shrink_to(16);
    assert_eq!(parser.last_event_id(), b"17");
}

/// Pieces of which streams are made that mean something, or almost.
fn piece() -> impl Strategy<Value = &'static [u8]> {
    prop::sample::select(vec![
        &b"\n"[..],
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b":",
        b" ",
        b"data",
        b"data:",
        b"data: ",
        b"id:",
        b"id: 7",
        b"id",
        b"event:",
        b"event: name",
        b"retry:",
        b"retry: 10",
        b"99999999999999999999999",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xef",
        b"\xff",
        b"\xc3\xa9",
        b"\xc3",
        b"x",
        b"a longer piece of text",
    ])
}

proptest! {
    #[test]
    fn any_stream_in_any_pieces_is_read_as_the_standard_says(
        pieces in prop::collection::vec(piece(), 0..60),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let stream = pieces.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let split = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        prop_assert_eq!(parsed(split), by_the_standard(&stream));
    }
}
