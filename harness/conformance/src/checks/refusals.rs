//! What the WebSocket paths refuse, each with its close code.

use framing::{Header, Opcode, close};

use crate::check::ensure;
use crate::client::calls::{BROADCAST, COUNTDOWN, ECHO, stats};
use crate::client::websocket::{WebSocket, fragment, frame};
use crate::{Check, Failure, Target};

/// What is sent, in words and in bytes.
pub(super) type Case = (String, Vec<u8>);

/// The paths that read messages.
const SOCKETS: &[&str] = &[ECHO, BROADCAST, COUNTDOWN];
/// Those of them that take any text.
const BOTH: &[&str] = &[ECHO, BROADCAST];
const PROTOCOL: &[u16] = &[close::PROTOCOL];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "an-echo-message-over-the-limit-is-closed-with-1009",
        standard: "contract, refusals",
        run: |target| over_the_limit(target, ECHO, target.limits.echo_bytes),
    },
    Check {
        name: "a-message-over-the-limit-of-publications-is-closed-with-1009",
        standard: "contract, refusals",
        run: |target| over_the_limit(target, BROADCAST, target.limits.publication_bytes),
    },
    Check {
        name: "a-frame-of-impossible-length-is-refused-at-once",
        standard: "contract, refusals",
        run: |target| refused(target, SOCKETS, &[close::TOO_BIG, close::PROTOCOL], &impossible_lengths()),
    },
    Check {
        name: "an-unmasked-frame-is-closed-with-1002",
        standard: "RFC 6455, 5.1",
        run: |target| refused(target, SOCKETS, PROTOCOL, &[unmasked()]),
    },
    Check {
        name: "reserved-bits-are-closed-with-1002",
        standard: "RFC 6455, 5.2",
        run: |target| refused(target, SOCKETS, PROTOCOL, &reserved_bits()),
    },
    Check {
        name: "reserved-opcodes-are-closed-with-1002",
        standard: "RFC 6455, 5.2",
        run: |target| refused(target, SOCKETS, PROTOCOL, &reserved_opcodes()),
    },
    Check {
        name: "a-fragmented-control-frame-is-closed-with-1002",
        standard: "RFC 6455, 5.5",
        run: |target| refused(target, SOCKETS, PROTOCOL, &fragmented_controls()),
    },
    Check {
        name: "a-control-frame-over-125-bytes-is-closed-with-1002",
        standard: "RFC 6455, 5.5",
        run: |target| refused(target, SOCKETS, PROTOCOL, &long_controls()),
    },
    Check {
        name: "fragments-out-of-order-are-closed-with-1002",
        standard: "RFC 6455, 5.4",
        run: |target| refused(target, SOCKETS, PROTOCOL, &fragments_out_of_order()),
    },
    Check {
        name: "a-continuation-of-an-ended-message-is-closed-with-1002",
        standard: "RFC 6455, 5.4",
        run: continuation_of_an_ended_message,
    },
    Check {
        name: "a-malformed-close-is-closed-with-1002",
        standard: "RFC 6455, 7.4",
        run: |target| {
            refused(target, SOCKETS, PROTOCOL, &malformed_closes())?;
            // RFC 6455 leaves open which of the two a reason that is not UTF-8 is.
            let reason =
                ("a close whose reason is not UTF-8".to_owned(), frame(Opcode::Close, b"\x03\xe8\xff"));
            refused(target, SOCKETS, &[close::PROTOCOL, close::INVALID_PAYLOAD], &[reason])
        },
    },
    Check {
        name: "text-that-is-not-utf8-is-closed-with-1007",
        standard: "RFC 6455, 8.1",
        run: |target| refused(target, BOTH, &[close::INVALID_PAYLOAD], &not_utf8()),
    },
    Check {
        name: "a-binary-message-to-subscribers-is-closed-with-1003",
        standard: "contract, refusals",
        run: |target| {
            let binary = ("a binary message".to_owned(), frame(Opcode::Binary, b"x"));
            refused(target, &[BROADCAST], &[close::UNSUPPORTED], &[binary])
        },
    },
    Check {
        name: "a-refused-connection-is-ended-by-the-server",
        standard: "RFC 6455, 7.1.7",
        run: ended_by_the_server,
    },
];

/// Sends each case on a connection of its own, awaits a close with one of the codes and the end, and looks
/// whether a publication came of it.
pub(super) fn refused(target: &Target, paths: &[&str], codes: &[u16], cases: &[Case]) -> Result<(), Failure> {
    let served = paths.iter().filter(|path| target.serves(path));
    for (path, (what, bytes)) in served.flat_map(|path| cases.iter().map(move |case| (path, case))) {
        let before = stats(target)?.publications;
        let mut websocket = WebSocket::connect(target, path)?;
        // The server may refuse before it has read it all, and its close counts.
        let _ = websocket.send(bytes);
        let circumstance = format!("after {what} on {path}");
        websocket.expect_refusal(codes).map_err(|failure| failure.when(&circumstance))?;
        let after = stats(target)?.publications;
        ensure(after == before, format!("{before} publications still, {circumstance}"), after.to_string())?;
    }
    Ok(())
}

pub(super) fn over_the_limit(target: &Target, path: &str, limit_bytes: usize) -> Result<(), Failure> {
    let payload = vec![b'x'; limit_bytes + 1];
    let (front, back) = payload.split_at(limit_bytes / 2);
    let fragments =
        |fin| [fragment(Opcode::Text, false, front), fragment(Opcode::Continuation, fin, back)].concat();
    let cases = [
        ("one frame of a byte too much".to_owned(), frame(Opcode::Text, &payload)),
        ("two fragments of together a byte too much".to_owned(), fragments(true)),
        // The server must not wait for the end of what it will refuse.
        ("fragments of a byte too much, and no last one".to_owned(), fragments(false)),
    ];
    refused(target, &[path], &[close::TOO_BIG], &cases)
}

fn impossible_lengths() -> Vec<Case> {
    let case = |payload_bytes| {
        let mut bytes = Vec::new();
        Header { fin: true, opcode: Opcode::Text, mask: Some([1; 4]), payload_bytes }.encode(&mut bytes);
        (format!("a header that announces {payload_bytes} bytes"), bytes)
    };
    [(1 << 63) - 1, 1 << 40, u64::MAX].map(case).into()
}

fn unmasked() -> Case {
    let payload = b"unmasked";
    let mut bytes = Vec::new();
    let payload_bytes = payload.len() as u64;
    Header { fin: true, opcode: Opcode::Text, mask: None, payload_bytes }.encode(&mut bytes);
    bytes.extend_from_slice(payload);
    ("an unmasked frame".to_owned(), bytes)
}

fn reserved_bits() -> Vec<Case> {
    let case = |opcode, bits| {
        let mut bytes = frame(opcode, b"reserved");
        bytes[0] |= bits;
        (format!("a {opcode:?} with the reserved bits {bits:#04x}"), bytes)
    };
    [0x40, 0x20, 0x10, 0x70]
        .into_iter()
        .flat_map(|bits| [case(Opcode::Text, bits), case(Opcode::Ping, bits)])
        .collect()
}

fn reserved_opcodes() -> Vec<Case> {
    let case = |opcode: u8| {
        let mut bytes = frame(Opcode::Text, b"reserved");
        bytes[0] = 0x80 | opcode;
        (format!("a frame with opcode {opcode}"), bytes)
    };
    (3..=7).chain(11..=15).map(case).collect()
}

fn fragmented_controls() -> Vec<Case> {
    let case = |opcode| (format!("a fragmented {opcode:?}"), fragment(opcode, false, b""));
    [Opcode::Ping, Opcode::Pong, Opcode::Close].map(case).into()
}

fn long_controls() -> Vec<Case> {
    let case =
        |(opcode, bytes)| (format!("a {opcode:?} of {bytes} bytes"), frame(opcode, &vec![b'x'; bytes]));
    [(Opcode::Ping, 126), (Opcode::Pong, 126), (Opcode::Close, 4096)].map(case).into()
}

fn fragments_out_of_order() -> Vec<Case> {
    let begun = |inner| [fragment(Opcode::Text, false, b"begun"), frame(inner, b"within")].concat();
    vec![
        ("a continuation of nothing".to_owned(), frame(Opcode::Continuation, b"of nothing")),
        ("a continuation of nothing, to be continued".to_owned(), fragment(Opcode::Continuation, false, b"")),
        ("a text within a message".to_owned(), begun(Opcode::Text)),
        ("a binary message within a message".to_owned(), begun(Opcode::Binary)),
    ]
}

fn continuation_of_an_ended_message(target: &Target) -> Result<(), Failure> {
    let mut websocket = WebSocket::connect(target, ECHO)?;
    let message = [fragment(Opcode::Text, false, b"begun, "), fragment(Opcode::Continuation, true, b"ended")];
    websocket.send(&message.concat())?;
    websocket.expect_text("begun, ended")?;
    websocket.send(&frame(Opcode::Continuation, b" and continued"))?;
    websocket.expect_refusal(PROTOCOL)
}

fn malformed_closes() -> Vec<Case> {
    let with_code =
        |code: u16| (format!("a close with code {code}"), frame(Opcode::Close, &code.to_be_bytes()));
    let mut cases = vec![("a close with half a code".to_owned(), frame(Opcode::Close, b"\x03"))];
    // Too small, reserved, not defined, too large (RFC 6455, sections 7.4.1 and 7.4.2).
    cases.extend([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535].map(with_code));
    cases
}

pub(super) fn not_utf8() -> Vec<Case> {
    let whole = |what: &str, payload: &[u8]| (what.to_owned(), frame(Opcode::Text, payload));
    let in_two = |what: &str, front: &[u8], back: &[u8]| {
        let fragments = [fragment(Opcode::Text, false, front), fragment(Opcode::Continuation, true, back)];
        (what.to_owned(), fragments.concat())
    };
    vec![
        whole("a byte that UTF-8 has not", b"text \xff"),
        whole("an overlong NUL", b"\xc0\x80"),
        whole("a surrogate", b"\xed\xa0\x80"),
        whole("a code point beyond the last", b"\xf4\x90\x80\x80"),
        whole("a letter cut off at the end", b"caf\xc3"),
        in_two("a bad byte in the second fragment", b"good, ", b"bad \xff"),
        in_two("a letter cut off at the end of the second fragment", b"caf", b"\xc3"),
        in_two("a letter whose second byte is bad, in two fragments", b"caf\xc3", b"x"),
    ]
}

/// "An endpoint MUST NOT continue to attempt to process data": it must not wait for our close either.
fn ended_by_the_server(target: &Target) -> Result<(), Failure> {
    let mut refused = Vec::new();
    for path in SOCKETS.iter().filter(|path| target.serves(path)) {
        let mut websocket = WebSocket::connect(target, path)?;
        websocket.send(&unmasked().1)?;
        websocket.expect_close(PROTOCOL)?;
        refused.push((path, websocket));
    }
    for (path, mut websocket) in refused {
        let ended = websocket.socket.expect_end();
        ended.map_err(|failure| failure.when(format!("after the server's close with 1002 on {path}")))?;
    }
    Ok(())
}
