//! How a connection becomes a WebSocket, and which requests do not make one.

use crate::check::ensure;
use crate::client::calls::{BROADCAST, COUNTDOWN, ECHO, FEED_WS, settled};
use crate::client::http::Http;
use crate::client::websocket::{KEY, Message, UPGRADE, WebSocket, frame};
use crate::{Check, Failure, Target};
use framing::Opcode;

pub(super) const CHECKS: &[Check] = &[
    Check { name: "an-upgrade-is-accepted", standard: "RFC 6455, 4.2.2", run: upgrade_is_accepted },
    Check {
        name: "names-and-tokens-of-an-upgrade-are-read-in-any-case",
        standard: "RFC 6455, 4.2.1",
        run: any_case,
    },
    Check {
        name: "an-upgrade-byte-by-byte-is-accepted",
        standard: "RFC 9112, 2.2",
        run: upgrade_byte_by_byte,
    },
    Check {
        name: "frames-in-the-packet-of-the-upgrade-are-read",
        standard: "RFC 6455, 4.1",
        run: frames_in_the_packet_of_the_upgrade,
    },
    Check {
        name: "extensions-and-subprotocols-are-declined",
        standard: "contract, fairness",
        run: offers_are_declined,
    },
    Check {
        name: "a-websocket-path-without-upgrade-is-refused",
        standard: "contract, refusals",
        run: |target| refused(target, "without the fields of an upgrade", &[]),
    },
    Check {
        name: "an-upgrade-without-the-upgrade-field-is-refused",
        standard: "RFC 6455, 4.2.1",
        run: |target| refused(target, "without Upgrade", &without("Upgrade")),
    },
    Check {
        name: "an-upgrade-to-another-protocol-is-refused",
        standard: "RFC 6455, 4.2.1",
        run: |target| refused(target, "with Upgrade: h2c", &with("Upgrade", "h2c")),
    },
    Check {
        name: "an-upgrade-without-connection-upgrade-is-refused",
        standard: "RFC 6455, 4.2.1",
        run: |target| {
            refused(target, "with Connection: keep-alive", &with("Connection", "keep-alive"))?;
            refused(target, "without Connection", &without("Connection"))
        },
    },
    Check {
        name: "an-upgrade-without-a-key-is-refused",
        standard: "RFC 6455, 4.2.1",
        run: |target| refused(target, "without Sec-WebSocket-Key", &without("Sec-WebSocket-Key")),
    },
    Check {
        name: "an-upgrade-whose-key-is-not-16-bytes-is-refused",
        standard: "RFC 6455, 4.2.1",
        run: |target| {
            for (what, key) in [
                ("with an empty key", ""),
                ("with a key of 5 bytes", "c2hvcnQ="),
                ("with a key of 18 bytes", "dGhlIHNhbXBsZSBub25jZSEh"),
                ("with a key that is not base64", "????????????????????????"),
            ] {
                refused(target, what, &with("Sec-WebSocket-Key", key))?;
            }
            Ok(())
        },
    },
    Check {
        name: "an-upgrade-of-another-version-is-refused",
        standard: "RFC 6455, 4.2.1",
        run: |target| {
            refused(target, "without a version", &without("Sec-WebSocket-Version"))?;
            refused(target, "with version 8", &with("Sec-WebSocket-Version", "8"))?;
            refused(target, "with version 130", &with("Sec-WebSocket-Version", "130"))
        },
    },
    Check {
        name: "a-refused-upgrade-leaves-no-subscriber",
        standard: "contract, paths",
        run: |target| {
            settled(target)?;
            refused(target, "without Sec-WebSocket-Key", &without("Sec-WebSocket-Key"))?;
            settled(target).map(|_| ()).map_err(|failure| failure.when("after a refused upgrade"))
        },
    },
];

fn upgrade_is_accepted(target: &Target) -> Result<(), Failure> {
    for path in [ECHO, BROADCAST, "/ws/echo?a=b", "/ws/broadcast?a=b"] {
        WebSocket::connect(target, path)?.expect_quiet()?;
    }
    Ok(())
}

fn any_case(target: &Target) -> Result<(), Failure> {
    let variants = [
        [
            ("UPGRADE", "WebSocket"),
            ("CONNECTION", "keep-alive, UPGRADE"),
            ("SEC-WEBSOCKET-KEY", KEY),
            ("SEC-WEBSOCKET-VERSION", "13"),
        ],
        [
            ("upgrade", "WEBSOCKET"),
            ("connection", "upgrade,keep-alive"),
            ("sec-websocket-key", KEY),
            ("sec-websocket-version", "13"),
        ],
    ];
    for (path, fields) in [ECHO, BROADCAST].iter().flat_map(|path| variants.map(|fields| (path, fields))) {
        let mut http = Http::connect(target)?;
        let answer = http.request("GET", path, &fields, b"")?;
        let context = format!("to the upgrade of {path} with {fields:?}");
        WebSocket::accepted(http, &answer).map_err(|failure| failure.when(context))?;
    }
    Ok(())
}

fn upgrade_byte_by_byte(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    let head = http.head("GET", ECHO, &UPGRADE);
    http.socket.send_byte_by_byte(&head).map_err(|interruption| {
        interruption.awaiting("a server that reads an upgrade of which each byte comes on its own")
    })?;
    let answer = http.answer()?;
    WebSocket::accepted(http, &answer)?.expect_quiet()
}

fn frames_in_the_packet_of_the_upgrade(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    let mut packet = http.head("GET", ECHO, &UPGRADE);
    let texts = ["first", "second"];
    for text in texts {
        packet.extend(frame(Opcode::Text, text.as_bytes()));
    }
    // Its answer tells whether it was taken.
    let _ = http.socket.send(&packet);
    let answer = http.answer()?;
    let mut websocket = WebSocket::accepted(http, &answer)?;
    for text in texts {
        let echo = websocket.expect(&Message::Text(text.into()));
        echo.map_err(|failure| failure.when("sent in the packet of the upgrade"))?;
    }
    Ok(())
}

fn offers_are_declined(target: &Target) -> Result<(), Failure> {
    let mut fields = UPGRADE.to_vec();
    fields.push(("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"));
    fields.push(("Sec-WebSocket-Protocol", "chat, superchat"));
    for path in [ECHO, BROADCAST] {
        let mut http = Http::connect(target)?;
        let answer = http.request("GET", path, &fields, b"")?;
        for name in ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"] {
            let value = answer.field(name).unwrap_or_default();
            ensure(value.is_empty(), format!("no {name} in the answer of {path}"), value)?;
        }
        WebSocket::accepted(http, &answer)?.expect_quiet()?;
    }
    Ok(())
}

/// Asks all paths for an upgrade with these fields, and wants a 400 or 426.
fn refused(target: &Target, what: &str, fields: &[(&str, &str)]) -> Result<(), Failure> {
    for path in [ECHO, BROADCAST, COUNTDOWN, FEED_WS].into_iter().filter(|path| target.serves(path)) {
        let answer = Http::connect(target)?.request("GET", path, fields, b"")?;
        answer.error(&[400, 426]).map_err(|failure| failure.when(format!("to GET {path} {what}")))?;
    }
    Ok(())
}

fn without(name: &str) -> Vec<(&str, &str)> {
    UPGRADE.into_iter().filter(|(own, _)| *own != name).collect()
}

fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields = without(name);
    fields.push((name, value));
    fields
}
