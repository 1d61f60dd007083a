//! Clients that stop in the middle, read nothing, or speak something else.

use std::thread;
use std::time::Duration;

use framing::{Opcode, close};

use super::{binary, text};
use crate::check::ensure;
use crate::client::abbreviate;
use crate::client::calls::{BROADCAST, ECHO, await_stats, settled, stats};
use crate::client::http::Http;
use crate::client::socket::Socket;
use crate::client::websocket::{UPGRADE, WebSocket, frame};
use crate::{Check, Failure, Target};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "half-requests-hold-up-nobody",
        standard: "contract, refusals",
        run: half_requests_hold_up_nobody,
    },
    Check { name: "half-a-body-is-not-published", standard: "RFC 9112, 8", run: half_a_body },
    Check { name: "half-a-message-is-not-published", standard: "RFC 6455, 5.4", run: half_a_message },
    Check { name: "what-is-not-http-ends-its-connection-alone", standard: "RFC 9112, 2.2", run: not_http },
    Check {
        name: "connections-that-come-and-go-leave-nothing",
        standard: "contract, refusals",
        run: come_and_go,
    },
    Check {
        name: "an-echo-client-that-does-not-read-is-not-read",
        standard: "contract, refusals",
        run: unread_echo_stops,
    },
    Check {
        name: "the-server-is-left-without-subscribers",
        standard: "contract, paths",
        run: left_without_subscribers,
    },
];

/// Does the server still do what it is there for?
fn serves(target: &Target) -> Result<(), Failure> {
    let mut echo = WebSocket::connect(target, ECHO)?;
    echo.send_text("still there?")?;
    echo.expect_text("still there?")?;
    Http::connect(target)?.publish("", "still there?").map(|_| ())
}

fn half_requests_hold_up_nobody(target: &Target) -> Result<(), Failure> {
    const CLIENTS: usize = 50;
    let mut held = Vec::new();
    for client in 0..CLIENTS {
        let mut http = Http::connect(target)?;
        let head = match client % 3 {
            0 => http.head("GET", ECHO, &UPGRADE),
            1 => http.head("GET", "/", &[]),
            _ => http.head("POST", "/publish", &[("Content-Length", "1000")]),
        };
        let half = if client % 3 == 2 { head.len() } else { head.len() / 2 };
        let sent = http.socket.send(&head[..half]);
        sent.map_err(|interruption| interruption.awaiting("a server that reads half a request"))?;
        held.push(http);
    }
    serves(target).map_err(|failure| failure.when(format!("beside {CLIENTS} clients in half a request")))
}

fn half_a_body(target: &Target) -> Result<(), Failure> {
    let before = stats(target)?.publications;
    let chunked = ("Transfer-Encoding", "chunked");
    for (fields, half) in
        [([("Content-Length", "100")], &b"half of it"[..]), ([chunked], b"a\r\nhalf of it\r\n")]
    {
        let mut http = Http::connect(target)?;
        let request = [http.head("POST", "/publish", &fields), half.to_vec()].concat();
        let sent = http.socket.send(&request);
        sent.map_err(|interruption| interruption.awaiting("a server that reads half a body"))?;
        http.socket.finish_sending();
        error_or_end(&mut http, "half a body")?;
    }
    let after = stats(target)?.publications;
    ensure(after == before, format!("{before} publications still, of half a body"), after.to_string())
}

fn half_a_message(target: &Target) -> Result<(), Failure> {
    let before = settled(target)?.publications;
    let whole = frame(Opcode::Text, b"a message of which half is sent");
    for half in [1, 2, 5, whole.len() - 1] {
        let mut websocket = WebSocket::connect(target, BROADCAST)?;
        websocket.send(&whole[..half])?;
        websocket.socket.finish_sending();
    }
    let stats = await_stats(target, "no subscribers, as all ended within a frame,", |stats| {
        stats.subscribers.websocket == 0
    })?;
    let after = stats.publications;
    ensure(after == before, format!("{before} publications still, of half a message"), after.to_string())
}

fn not_http(target: &Target) -> Result<(), Failure> {
    // The start of a TLS handshake, a frame before any upgrade, an SSH client, noise.
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let noise = binary(7, 4096);
    let frame = frame(Opcode::Text, b"no upgrade");
    for bytes in [&tls[..], &frame, b"SSH-2.0-client\r\n\r\n", b"GET\r\n\r\n", &noise] {
        let mut http = Http::connect(target)?;
        let _ = http.socket.send(bytes);
        http.socket.finish_sending();
        error_or_end(&mut http, &format!("{} instead of HTTP", abbreviate(bytes)))?;
    }
    serves(target).map_err(|failure| failure.when("after clients that did not speak HTTP"))
}

fn error_or_end(http: &mut Http, what: &str) -> Result<(), Failure> {
    let answer = http.answer_or_end().map_err(|failure| failure.when(format!("after {what}")))?;
    let status = answer.map_or(400, |answer| answer.status);
    ensure(status >= 400, format!("an error or the end after {what}"), status.to_string())
}

fn come_and_go(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    for client in 0..200 {
        match client % 5 {
            0 => drop(Socket::open(target)?),
            1 => Socket::open(target)?.reset()?,
            2 => {
                let mut http = Http::connect(target)?;
                let head = http.head("GET", BROADCAST, &UPGRADE);
                // The reset may come before, with or after the answer to the upgrade.
                let _ = http.socket.send(&head);
                http.socket.reset()?;
            }
            3 => WebSocket::subscribe(target)?.socket.reset()?,
            _ => {
                let mut websocket = WebSocket::connect(target, ECHO)?;
                websocket.send(&frame(Opcode::Text, &[b'x'; 1000]))?;
                websocket.socket.reset()?;
            }
        }
    }
    serves(target)?;
    settled(target).map(|_| ()).map_err(|failure| failure.when("after connections that came and went"))
}

/// All that the client's and the server's sockets can hold on any usual machine, and more.
const MOST_UNREAD_BYTES: usize = 64 * 1024 * 1024;

fn unread_echo_stops(target: &Target) -> Result<(), Failure> {
    let http = Http::over(Socket::open_narrow(target)?, target);
    let mut websocket = WebSocket::over(http, ECHO)?;
    let message = text(8, (64 * 1024).min(target.limits.echo_bytes));
    let bytes = frame(Opcode::Text, message.as_bytes());
    let mut whole = 0;
    let rest = loop {
        let taken = websocket.socket.send_until_stall(&bytes, Duration::from_millis(500));
        let taken = taken.map_err(|i| i.awaiting("a server that waits while its answers are not read"))?;
        if taken < bytes.len() {
            break &bytes[taken..];
        }
        whole += 1;
        ensure(
            whole * message.len() < MOST_UNREAD_BYTES,
            "a server that stops reading when its answers are not read",
            format!("{} bytes taken without one read", whole * message.len()),
        )?;
    };
    // Now it is read, the server must go on, from within the message in which it stopped.
    let mut sender = websocket.socket.duplicate()?;
    thread::scope(|scope| {
        scope.spawn(move || sender.send(rest));
        for number in 0..=whole {
            let echo = websocket.expect_text(&message);
            echo.map_err(|failure| failure.when(format!("as answer {number} of {} read late", whole + 1)))?;
        }
        websocket.send(&frame(Opcode::Close, &close::NORMAL.to_be_bytes()))?;
        websocket.expect_close(&[close::NORMAL])
    })
}

fn left_without_subscribers(target: &Target) -> Result<(), Failure> {
    serves(target)?;
    settled(target).map(|_| ())
}
