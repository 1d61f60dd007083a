//! What the contract says, as requests and answers.

mod common;

use contract::{Answer, Refusal, Route, is_handshake_key};

fn told(status: u16, body: &str) -> Answer {
    Answer { status, body: body.to_owned().into() }
}

#[test]
fn the_root_tells_who_answers() {
    let about = r#"{"contender":"tested","framework":"none","version":"1.2.3","workers":3}"#;
    assert_eq!(common::app(1).about(), told(200, about));
}

#[test]
fn the_stats_tell_who_listens_and_who_was_dropped() {
    let app = common::app(1);
    let mut slow = app.subscribe(None).expect("there is nothing to refuse");
    let _other = app.subscribe(None);
    app.hub().publish(None, "one");
    app.hub().publish(None, "two");
    slow.try_next().expect_err("it is two behind");
    drop(slow);
    let stats =
        r#"{"subscribers":{"websocket":1,"sse":0,"long_poll":0},"publications":2,"dropped":{"lagged":1}}"#;
    assert_eq!(app.stats(), told(200, stats));
}

#[test]
fn a_publication_is_answered_with_its_id_and_how_many_it_goes_to() {
    let app = common::app(1);
    assert_eq!(app.publish(None, b""), told(202, r#"{"id":1,"subscribers":0}"#));
    let _subscription = app.subscribe(None);
    assert_eq!(app.publish(None, b"text"), told(202, r#"{"id":2,"subscribers":1}"#));
    assert_eq!(app.publish_text("text").map(|receipt| receipt.id), Ok(3));
}

#[test]
fn a_publication_is_sent_as_the_same_json_whatever_is_in_it() {
    let cases = [
        (None, "plain", r#"{"id":1,"data":"plain"}"#),
        (None, "a \"b\"\\\n\u{0}é", "{\"id\":1,\"data\":\"a \\\"b\\\"\\\\\\n\\u0000é\"}"),
        (Some("event=tick"), "", r#"{"id":1,"event":"tick","data":""}"#),
        (Some("event=a+%22b%C3%A9"), "x", r#"{"id":1,"event":"a \"bé","data":"x"}"#),
        (Some("other=1&event=one&event=two"), "x", r#"{"id":1,"event":"one","data":"x"}"#),
        (Some("events=no"), "x", r#"{"id":1,"data":"x"}"#),
    ];
    for (query, text, json) in cases {
        let app = common::app(1);
        let mut subscription = app.subscribe(None).expect("there is nothing to refuse");
        assert_eq!(app.publish(query, text.as_bytes()).status, 202, "{query:?}");
        assert_eq!(subscription.try_next(), Ok(Some(json.to_owned())));
    }
}

#[test]
fn what_cannot_be_published_gets_no_id() {
    let app = common::app(1);
    let longest = [b'x'; 100];
    let too_long = [b'x'; 101];
    assert_eq!(app.publish(None, &too_long), told(413, r#"{"error":"longer than 100 bytes"}"#));
    assert_eq!(app.publish(None, b"\xff"), told(400, r#"{"error":"not UTF-8"}"#));
    for query in [
        "event=",
        "event",
        "event=a%0Ab",
        "event=%0D",
        "event=a%00",
        "event=%C2%85",
        "event=error",
        "event=open",
    ] {
        assert_eq!(app.publish(Some(query), b"x").status, 400, "{query}");
    }
    assert_eq!(app.publish_text(&"x".repeat(101)), Err(Refusal::TooBig { limit_bytes: 100 }));
    assert_eq!(app.publish(None, &longest), told(202, r#"{"id":1,"subscribers":0}"#));
}

#[test]
fn after_says_what_a_subscriber_has_had() {
    let app = common::app(3);
    for _ in 0..5 {
        app.hub().publish(None, "x");
    }
    // What follows: the id of the first publication that comes.
    let cases = [
        (None, 6),
        (Some(""), 6),
        (Some("before=1"), 6),
        (Some("after=4"), 5),
        (Some("after=5"), 6),
        (Some("after=2"), 3),
        (Some("after=0"), 3),
        (Some("after=99"), 6),
        (Some("after=99999999999999999999999"), 6),
        (Some("after=04&after=0"), 5),
    ];
    let mut subscriptions =
        cases.map(|(query, first)| (app.subscribe(query).expect("the query is right"), query, first));
    for (subscription, query, first) in &mut subscriptions {
        if *first == 6 {
            assert_eq!(subscription.try_next(), Ok(None), "{query:?}");
        } else {
            let json = format!(r#"{{"id":{first},"data":"x"}}"#);
            assert_eq!(subscription.try_next(), Ok(Some(json)), "{query:?}");
        }
    }
}

#[test]
fn after_must_be_a_whole_number() {
    let app = common::app(1);
    for query in
        ["after=", "after", "after=x", "after=-1", "after=%2B1", "after=1.0", "after=0x1", "after=1+"]
    {
        let refusal = app.subscribe(Some(query)).expect_err("it is no number");
        assert_eq!(refusal.status(), 400, "{query}");
    }
    assert_eq!(app.hub().stats().subscribers.websocket, 0);
}

#[test]
fn a_path_has_one_method() {
    assert_eq!(Route::of("GET", "/ws/echo"), Ok(Route::Echo));
    assert_eq!(Route::of("POST", "/publish"), Ok(Route::Publish));
    for (method, path) in [("POST", "/"), ("HEAD", "/stats"), ("GET", "/publish"), ("get", "/ws/broadcast")] {
        assert_eq!(Route::of(method, path), Err(Refusal::MethodNotAllowed), "{method} {path}");
    }
    for path in ["", "/stats/", "//", "/ws", "/Stats", "*"] {
        assert_eq!(Route::of("GET", path), Err(Refusal::NotFound), "{path}");
    }
}

#[test]
fn a_handshake_key_is_sixteen_bytes_in_base64() {
    assert!(is_handshake_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
    assert!(is_handshake_key(b"+/+/+/+/+/+/+/+/+/+/+w=="));
    for key in ["", "==", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZSE=", "dGhlIHNhbXBsZSBub25j?Q=="] {
        assert!(!is_handshake_key(key.as_bytes()), "{key}");
    }
}

#[test]
fn an_error_is_json_even_if_what_it_quotes_is_not() {
    let refusal = Refusal::BadQuery { name: "after", value: "\"\n".to_owned(), expected: "a number" };
    let error = r#"{"error":"after=\"\\\"\\n\": expected a number"}"#;
    assert_eq!(Answer::from(refusal), told(400, error));
}
