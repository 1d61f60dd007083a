//! Event streams, polls, the countdown and the feed.

mod common;

use std::collections::BTreeSet;
use std::future::{pending, ready};
use std::time::Duration;

use contract::{Answer, Feed, Refusal};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The lines of a block, by name, as the HTML standard reads them (section 9.2.6).
fn fields(block: &[u8]) -> Vec<(String, String)> {
    let block = str::from_utf8(block).expect("an event stream is UTF-8");
    let lines = block.strip_suffix("\n\n").expect("an empty line ends a block");
    // All three ends of a line count.
    let lines = lines.split(['\n', '\r']).map(|line| line.split_once(": ").expect("a field and its value"));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

proptest! {
    #[test]
    fn any_text_and_name_arrive_unchanged(text in "(?s).{0,30}", name in prop::option::of("\\PC{1,30}")) {
        let app = common::app(1);
        let mut events = app.sse(None, None).expect("nothing to refuse").subscription;
        let query = name.as_ref().map(|name| {
            form_urlencoded::Serializer::new(String::new()).append_pair("event", name).finish()
        });
        prop_assume!(text.len() <= 100);
        let answer = app.publish(query.as_deref(), text.as_bytes());
        prop_assume!(answer.status == 202);
        let fields = fields(&events.try_next().expect("no lag").expect("an event"));
        let mut expected = vec![("id".to_owned(), "1".to_owned())];
        expected.extend(name.clone().map(|name| ("event".to_owned(), name)));
        prop_assert_eq!(&fields[..fields.len() - 1], &expected[..]);
        let (last, data) = &fields[fields.len() - 1];
        prop_assert_eq!(last, "data");
        let data: Value = serde_json::from_str(data).expect("JSON");
        prop_assert_eq!(data["data"].as_str(), Some(text.as_str()));
        prop_assert_eq!(data["event"].as_str(), name.as_deref());
    }
}

#[test]
fn an_event_and_a_poll_hold_the_bytes_of_the_message() {
    let app = common::app(2);
    let mut messages = app.subscribe(None).expect("nothing to refuse");
    let mut events = app.sse(None, None).expect("nothing to refuse");
    assert_eq!(&events.first[..], b"retry: 1000\n\n");
    assert_eq!(app.publish(Some("event=tick"), b" a\r\n\0").status, 202);
    let message = messages.try_next().expect("no lag").expect("a message");
    assert_eq!(message, r#"{"id":1,"event":"tick","data":" a\r\n\u0000"}"#);
    let event = events.subscription.try_next().expect("no lag").expect("an event");
    assert_eq!(event, format!("id: 1\nevent: tick\ndata: {message}\n\n"));
    let answer = app.poll(Some("after=0")).expect("nothing to refuse").try_answer();
    assert_eq!(answer, Some(Answer { status: 200, body: format!("[{message}]").into() }));
}

#[test]
fn the_header_is_newer_than_the_query() {
    let app = common::app(9);
    for _ in 0..5 {
        app.hub().publish(None, "x");
    }
    let cases = [
        (Some("after=1"), None, 2),
        (Some("after=1"), Some("3"), 4),
        (None, Some("0"), 1),
        (Some("after=x"), Some("2"), 3),
    ];
    for (query, header, first) in cases {
        let mut events = app.sse(query, header.map(str::as_bytes)).expect("nothing to refuse").subscription;
        let event = events.try_next().expect("no lag").expect("an event");
        assert!(event.starts_with(format!("id: {first}\n").as_bytes()), "{query:?}, {header:?}");
    }
    for header in [&b""[..], b"-1", b"1 ", b"\xff"] {
        assert!(matches!(app.sse(None, Some(header)), Err(Refusal::BadQuery { name: "Last-Event-ID", .. })));
    }
    assert_eq!(app.hub().stats().subscribers.sse, 0);
}

#[tokio::test]
async fn a_poll_ends_with_a_publication_or_with_its_time() {
    let app = common::app(3);
    let poll = app.poll(None).expect("nothing to refuse");
    assert_eq!(poll.answer(ready(())).await, Answer { status: 204, body: "".into() });
    let poll = app.poll(None).expect("nothing to refuse");
    let waiting = tokio::spawn(poll.answer(pending()));
    while app.hub().stats().subscribers.long_poll == 0 {
        tokio::task::yield_now().await;
    }
    app.hub().publish(None, "x");
    let answer =
        tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it hangs").expect("no panic");
    assert_eq!(answer.body, r#"[{"id":1,"data":"x"}]"#);
    assert_eq!(app.hub().stats().subscribers.long_poll, 0);
}

/// The answers of the tests are at most 60 bytes long: two publications of 24 bytes.
#[test]
fn what_does_not_fit_into_an_answer_is_there_for_the_next_poll() {
    let app = common::app(8);
    for _ in 0..3 {
        app.hub().publish(None, "123");
    }
    let mut after = 0;
    let mut sizes = Vec::new();
    while let Some(answer) =
        app.poll(Some(&format!("after={after}"))).expect("nothing to refuse").try_answer()
    {
        assert!(answer.body.len() <= 60);
        let publications: Vec<Value> = serde_json::from_slice(&answer.body).expect("JSON");
        for publication in &publications {
            after += 1;
            assert_eq!(*publication, json!({"id": after, "data": "123"}));
        }
        sizes.push(publications.len());
    }
    assert_eq!(sizes, [2, 1]);
    app.hub().publish(None, &"z".repeat(100));
    let answer = app.poll(Some("after=3")).expect("nothing to refuse").try_answer().expect("one at least");
    assert!(answer.body.len() > 60);
}

#[test]
fn a_poll_after_what_is_gone_begins_with_the_oldest() {
    let app = common::app(1);
    for _ in 0..5 {
        app.hub().publish(None, "x");
    }
    let mut poll = app.poll(Some("after=1")).expect("nothing to refuse");
    // It may also come to lag while it waits for its turn.
    app.hub().publish(None, "y");
    assert_eq!(poll.try_answer().expect("an answer").body, r#"[{"id":6,"data":"y"}]"#);
}

#[test]
fn a_countdown_is_strict() {
    let app = common::app(1);
    for (text, next) in [
        (r#"{"count":1}"#, r#"{"count":0}"#),
        (" {\n\"count\" : 9007199254740992}\t", r#"{"count":9007199254740991}"#),
    ] {
        assert_eq!(app.countdown(text).as_deref(), Ok(next));
    }
    for text in [
        "",
        "1",
        "null",
        "[1]",
        "{}",
        r#"{"count":0}"#,
        r#"{"count":-1}"#,
        r#"{"count":1.0}"#,
        r#"{"count":1e3}"#,
        r#"{"count":"1"}"#,
        r#"{"count":01}"#,
        r#"{"count":9007199254740993}"#,
        r#"{"count":1,"count":2}"#,
        r#"{"count":1,"other":2}"#,
        r#"{"count":1} {}"#,
        r#"{"Count":1}"#,
        "\u{feff}{\"count\":1}",
    ] {
        assert_eq!(app.countdown(text), Err(Refusal::NotCount), "{text}");
    }
}

#[test]
fn the_feed_is_a_fixture() {
    let feed = Feed::get();
    assert_eq!(feed.items().len(), 500);
    let array: Vec<Value> = serde_json::from_slice(&feed.array()).expect("JSON");
    for ((id, item), parsed) in (1_u64..).zip(feed.items()).zip(&array) {
        assert!((200..8192).contains(&item.len()), "item {id} has {} bytes", item.len());
        assert_eq!(serde_json::from_slice::<Value>(item).expect("JSON"), *parsed);
        assert_eq!(parsed["id"], id);
        assert_eq!(
            fields(&feed.events(id - 1)[0]),
            [
                ("id".to_owned(), id.to_string()),
                ("data".to_owned(), String::from_utf8(item.to_vec()).expect("UTF-8")),
            ]
        );
    }
    assert_eq!(feed.items().iter().collect::<BTreeSet<_>>().len(), 500, "no two are the same");
    assert!(feed.events(500).is_empty() && feed.events(u64::MAX).is_empty());
    // Results of different days are of the same items: FNV-1a, 64 bits, over the array.
    let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    assert_eq!(feed.array().iter().fold(0xcbf2_9ce4_8422_2325, fnv), 0xeb20_4c7e_505c_15bf);
}
