//! `WS /ws/countdown`: each message counts down by one, and what is no count is closed.

use framing::{Opcode, close};

use super::refusals::{Case, not_utf8, over_the_limit, refused};
use crate::client::calls::COUNTDOWN;
use crate::client::websocket::{WebSocket, fragment, frame};
use crate::{Check, Failure, Target};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "a-countdown-counts-down", standard: "contract, ws/countdown", run: counts_down },
    Check {
        name: "a-countdown-answers-pipelined-messages-in-order",
        standard: "contract, ws/countdown",
        run: pipelined,
    },
    Check {
        name: "what-is-no-count-is-closed-with-1008",
        standard: "contract, refusals",
        run: |target| refused(target, &[COUNTDOWN], &[close::POLICY], &no_counts()),
    },
    Check {
        name: "a-countdown-message-over-the-limit-is-closed-with-1009",
        standard: "contract, refusals",
        run: |target| over_the_limit(target, COUNTDOWN, target.limits.publication_bytes),
    },
    Check {
        name: "a-binary-countdown-message-is-closed-with-1003",
        standard: "contract, refusals",
        run: |target| {
            let binary = ("a binary message".to_owned(), frame(Opcode::Binary, br#"{"count":5}"#));
            refused(target, &[COUNTDOWN], &[close::UNSUPPORTED], &[binary])
        },
    },
    Check {
        name: "a-countdown-message-that-is-not-utf8-is-closed-with-1007",
        standard: "RFC 6455, 8.1",
        run: |target| refused(target, &[COUNTDOWN], &[close::INVALID_PAYLOAD], &not_utf8()),
    },
];

fn answer(count: u64) -> String {
    format!(r#"{{"count":{count}}}"#)
}

fn counts_down(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, COUNTDOWN)?;
    for count in (1..=100).rev().chain([1 << 32, 1 << 53]) {
        websocket.send_text(&answer(count))?;
        websocket.expect_text(&answer(count - 1))?;
    }
    let padded = format!("{}{{\"count\":7}}", " ".repeat(target.limits.publication_bytes - 11));
    for text in [" { \"count\" : 7 } ", "\r\n\t{\"count\"\n:\t7\r}\n", &padded] {
        websocket.send_text(text)?;
        let answered = websocket.expect_text(&answer(6));
        answered.map_err(|failure| failure.when("to a count of 7 with white space"))?;
    }
    websocket.send(&fragment(Opcode::Text, false, br#"{"cou"#))?;
    websocket.send(&fragment(Opcode::Continuation, true, br#"nt":3}"#))?;
    websocket.expect_text(&answer(2)).map_err(|failure| failure.when("to a count of 3 in fragments"))?;
    websocket.close()
}

fn pipelined(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, COUNTDOWN)?;
    let frames = (1..=500).flat_map(|count| frame(Opcode::Text, answer(count).as_bytes()));
    websocket.send(&frames.collect::<Vec<_>>())?;
    for count in 1..=500 {
        websocket
            .expect_text(&answer(count - 1))
            .map_err(|failure| failure.when("of 500 messages at once"))?;
    }
    websocket.expect_quiet()
}

fn no_counts() -> Vec<Case> {
    let texts = [
        "",
        "5",
        "null",
        "[5]",
        r#"["count",5]"#,
        "{}",
        r#"{"count":0}"#,
        r#"{"count":-1}"#,
        r#"{"count":9007199254740993}"#,
        r#"{"count":1e2}"#,
        r#"{"count":5.0}"#,
        r#"{"count":"5"}"#,
        r#"{"count":null}"#,
        r#"{"count":05}"#,
        r#"{"count":5,"more":1}"#,
        r#"{"count":5,"count":5}"#,
        r#"{"Count":5}"#,
        r#"{"count":5"#,
        r#"{"count":5} x"#,
        r#"{"count":5}{"count":5}"#,
        "\u{feff}{\"count\":5}",
    ];
    texts.map(|text| (format!("the text {text}"), frame(Opcode::Text, text.as_bytes()))).into()
}
