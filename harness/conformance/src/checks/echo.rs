//! `WS /ws/echo`: what goes in comes out.

use framing::Opcode;

use super::{binary, text};
use crate::client::calls::{BROADCAST, ECHO};
use crate::client::websocket::{Message, WebSocket, fragment, frame};
use crate::{Check, Failure, Target};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "echo-returns-text-of-every-size", standard: "contract, paths", run: text_of_every_size },
    Check {
        name: "echo-returns-binary-of-every-size",
        standard: "contract, paths",
        run: binary_of_every_size,
    },
    Check { name: "echo-returns-unicode-unchanged", standard: "RFC 6455, 5.6", run: unicode },
    Check {
        name: "echo-keeps-the-order-of-pipelined-messages",
        standard: "contract, paths",
        run: pipelining,
    },
    Check {
        name: "fragments-come-back-as-the-same-message",
        standard: "RFC 6455, 5.4",
        run: fragments_come_back,
    },
    Check {
        name: "control-frames-between-fragments-are-answered",
        standard: "RFC 6455, 5.4",
        run: control_between_fragments,
    },
    Check { name: "a-frame-byte-by-byte-comes-back", standard: "RFC 6455, 5.2", run: frame_byte_by_byte },
    Check { name: "pings-are-answered-with-their-bytes", standard: "RFC 6455, 5.5.2", run: pings },
    Check { name: "pongs-are-not-answered", standard: "RFC 6455, 5.5.3", run: pongs_are_not_answered },
    Check { name: "a-close-is-answered-with-a-close", standard: "RFC 6455, 5.5.1", run: close_is_answered },
    Check {
        name: "messages-before-a-close-still-come-back",
        standard: "contract, paths",
        run: messages_before_close,
    },
];

/// Lengths around every change of the header's form (RFC 6455, section 5.2), and the longest allowed.
fn sizes(target: &Target) -> [usize; 13] {
    let longest = target.limits.echo_bytes;
    [0, 1, 2, 124, 125, 126, 127, 128, 4096, 65535, 65536, 65537, longest].map(|size| size.min(longest))
}

fn text_of_every_size(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, ECHO)?;
    for (seed, bytes) in (0..).zip(sizes(target)) {
        let text = text(seed, bytes);
        websocket.send_text(&text)?;
        websocket.expect_text(&text)?;
    }
    Ok(())
}

fn binary_of_every_size(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, ECHO)?;
    for (seed, bytes) in (0..).zip(sizes(target)) {
        let binary = binary(seed, bytes);
        websocket.send(&frame(Opcode::Binary, &binary))?;
        websocket.expect(&Message::Binary(binary))?;
    }
    Ok(())
}

fn unicode(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, ECHO)?;
    // Every length of a code point, the first and last of each, a byte order mark, and what is no character.
    let edges = "\0\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{fffd}\u{ffff}\u{10000}\u{10ffff}";
    for text in ["κόσμε", "👩‍👩‍👧 é e\u{301}", "\u{feff}marked", "\r\n\t\u{2028}", edges] {
        websocket.send_text(text)?;
        websocket.expect_text(text)?;
    }
    Ok(())
}

fn pipelining(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, ECHO)?;
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..4 {
        let message = |number: u64| {
            let seed = round * 1000 + number;
            let bytes = random.usize(8..200);
            if seed.is_multiple_of(2) {
                Message::Text(text(seed, bytes).into())
            } else {
                Message::Binary(binary(seed, bytes))
            }
        };
        let messages: Vec<Message> = (0..1000).map(message).collect();
        let frames = messages.iter().map(|message| match message {
            Message::Binary(payload) => frame(Opcode::Binary, payload),
            other => frame(Opcode::Text, other.payload()),
        });
        websocket.send(&frames.collect::<Vec<_>>().concat())?;
        for (number, message) in messages.iter().enumerate() {
            let echo = websocket.expect(message);
            echo.map_err(|failure| failure.when(format!("as answer {number} of 1000 messages at once")))?;
        }
    }
    Ok(())
}

fn fragments_come_back(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, ECHO)?;
    let longest = text(3, target.limits.echo_bytes);
    let (front, back) = longest.as_bytes().split_at(longest.len() / 3);
    let single: Vec<&[u8]> = "one byte a fragment".as_bytes().chunks(1).collect();
    let messages: [&[&[u8]]; 5] = [
        &[b"in ", b"three ", b"parts"],
        &[b"", b"", b"empty around", b""],
        // The letter é is split.
        &[b"caf\xc3", b"\xa9"],
        &single,
        &[front, back],
    ];
    for parts in messages {
        for opcode in [Opcode::Text, Opcode::Binary] {
            let frames = parts.iter().enumerate().map(|(index, part)| {
                let opcode = if index == 0 { opcode } else { Opcode::Continuation };
                fragment(opcode, index + 1 == parts.len(), part)
            });
            websocket.send(&frames.collect::<Vec<_>>().concat())?;
            let whole = parts.concat();
            let message = if opcode == Opcode::Text { Message::Text(whole) } else { Message::Binary(whole) };
            let echo = websocket.expect(&message);
            echo.map_err(|failure| failure.when(format!("sent in {} fragments", parts.len())))?;
        }
    }
    Ok(())
}

fn control_between_fragments(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, ECHO)?;
    websocket.send(&fragment(Opcode::Text, false, b"first "))?;
    for payload in ["between", ""] {
        websocket.send(&frame(Opcode::Ping, payload.as_bytes()))?;
        let pong = websocket.expect(&Message::Pong(payload.into()));
        pong.map_err(|failure| failure.when("between two fragments"))?;
        websocket.send(&frame(Opcode::Pong, b"unasked"))?;
        websocket.send(&fragment(Opcode::Continuation, false, b"middle "))?;
    }
    websocket.send(&fragment(Opcode::Continuation, true, b"last"))?;
    websocket.expect_text("first middle middle last")
}

fn frame_byte_by_byte(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, ECHO)?;
    let slow = text(4, 130);
    let sent = websocket.socket.send_byte_by_byte(&frame(Opcode::Text, slow.as_bytes()));
    sent.map_err(|interruption| interruption.awaiting("a server that reads a frame byte by byte"))?;
    websocket.expect_text(&slow)
}

fn pings(target: &Target) -> Result<(), Failure> {
    for path in [ECHO, BROADCAST] {
        let mut websocket = WebSocket::connect(target, path)?;
        for (seed, bytes) in [0, 1, 64, 125].into_iter().enumerate() {
            let payload = binary(seed as u64, bytes);
            websocket.send(&frame(Opcode::Ping, &payload))?;
            let pong = websocket.expect(&Message::Pong(payload));
            pong.map_err(|failure| failure.when(format!("on {path}")))?;
        }
    }
    Ok(())
}

fn pongs_are_not_answered(target: &Target) -> Result<(), Failure> {
    for path in [ECHO, BROADCAST] {
        let mut websocket = WebSocket::connect(target, path)?;
        websocket.send(&frame(Opcode::Pong, b"unasked"))?;
        websocket.expect_quiet().map_err(|failure| failure.when(format!("after a pong on {path}")))?;
    }
    Ok(())
}

fn close_is_answered(target: &Target) -> Result<(), Failure> {
    let mut closed = Vec::new();
    for path in [ECHO, BROADCAST] {
        for code in [None, Some(1000), Some(1001), Some(1011), Some(3000), Some(4999_u16)] {
            let mut websocket = WebSocket::connect(target, path)?;
            let mut payload = Vec::new();
            if let Some(code) = code {
                payload.extend(code.to_be_bytes());
                payload.extend(b"going");
            }
            websocket.send(&frame(Opcode::Close, &payload))?;
            let sent = code.map_or("without a code".to_owned(), |code| format!("with code {code}"));
            let circumstance = format!("after a close {sent} on {path}");
            let expected = "a close frame with the same code or 1000";
            match websocket.read() {
                Ok(Message::Close(answer, _)) if answer == code || answer == Some(1000) => {}
                Ok(other) => return Err(Failure::new(expected, other.to_string()).when(circumstance)),
                Err(interruption) => return Err(interruption.awaiting(expected).when(circumstance)),
            }
            closed.push((websocket, circumstance));
        }
    }
    // Together: a server may take its time for each.
    for (mut websocket, circumstance) in closed {
        websocket.socket.expect_end().map_err(|failure| failure.when(circumstance))?;
    }
    Ok(())
}

fn messages_before_close(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, ECHO)?;
    let texts: Vec<String> = (0..100).map(|seed| text(seed, 100)).collect();
    let mut packet: Vec<u8> = texts.iter().flat_map(|text| frame(Opcode::Text, text.as_bytes())).collect();
    packet.extend(frame(Opcode::Close, &framing::close::NORMAL.to_be_bytes()));
    websocket.send(&packet)?;
    for text in &texts {
        websocket.expect_text(text).map_err(|failure| failure.when("sent before a close"))?;
    }
    websocket.expect_close(&[framing::close::NORMAL])?;
    websocket.socket.expect_end()
}
