//! Whole connections without sockets: any bytes, however they are cut.

use std::net::Ipv4Addr;
use std::num::NonZeroUsize;

use contract::{Limits, Settings, Timing};
use framing::{Header, Opcode, apply_mask};
use proptest::prelude::*;

use super::Session;
use crate::output::Output;
use crate::{CeilingApp, new_app};

const LIMITS: Limits = Limits {
    publication_bytes: 300,
    echo_bytes: 9000,
    replay_window: NonZeroUsize::new(8).unwrap(),
    poll_bytes: 1000,
};

fn app() -> CeilingApp {
    let host = Ipv4Addr::LOCALHOST.into();
    new_app(&Settings {
        host,
        port: 9001,
        workers: NonZeroUsize::MIN,
        processes: NonZeroUsize::MIN,
        limits: LIMITS,
        timing: Timing::default(),
    })
}

/// One connection, from its first byte.
struct Talk {
    app: CeilingApp,
    session: Session,
    output: Output,
}

impl Talk {
    fn new() -> Self {
        Self { app: app(), session: Session::new(), output: Output::default() }
    }

    fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.session.on_bytes(&mut bytes.to_vec(), &self.app, &mut self.output);
        let output = self.output.take_bytes();
        self.session.on_sent();
        output
    }

    fn hear_text(&mut self, text: &str) -> String {
        String::from_utf8(self.hear(text.as_bytes())).expect("HTTP answers are text")
    }

    fn delivered(&mut self) -> Vec<u8> {
        self.session.deliver(&self.app, &mut self.output);
        self.output.take_bytes()
    }
}

fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let key = [1, 2, 3, 4];
    let mut bytes = Vec::new();
    Header { fin, opcode, mask: Some(key), payload_bytes: payload.len() as u64 }.encode(&mut bytes);
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    apply_mask(&mut bytes[start..], key, 0);
    bytes
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let paths = ["/", "/stats", "/publish", "/publish?event=a", "/publish?event=", "/ws/echo", "/nowhere"];
    let methods = ["GET", "POST", "HEAD", "PUT"];
    let bodies = [
        "\r\n",
        "Content-Length: 2\r\n\r\nhi",
        "Content-Length: 301\r\n\r\n",
        "Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n12d\r\n",
        "Connection: close\r\n\r\n",
        "Content-Length: x\r\n\r\n",
    ];
    let from = |these: &[&'static str]| prop::sample::select(these.to_vec());
    (from(&methods), from(&paths), from(&bodies))
        .prop_map(|(method, path, body)| format!("{method} {path} HTTP/1.1\r\n{body}").into_bytes())
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let opcodes = [Opcode::Text, Opcode::Binary, Opcode::Continuation, Opcode::Ping, Opcode::Pong];
    let payload = prop_oneof![
        4 => "[a-zé]{0,20}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..150),
        1 => (4000..10_000_usize).prop_map(|length| vec![b'x'; length]),
    ];
    let any_frame = (prop::bool::weighted(0.8), prop::sample::select(opcodes.to_vec()), payload)
        .prop_map(|(fin, opcode, payload)| frame(fin, opcode, &payload));
    let close = prop::collection::vec(any::<u8>(), 0..4).prop_map(|body| frame(true, Opcode::Close, &body));
    prop_oneof![12 => any_frame, 1 => close, 1 => prop::collection::vec(any::<u8>(), 1..20)]
}

/// Requests, then perhaps a WebSocket; some with a byte gone wrong, or without their end.
fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let path = prop::sample::select(vec!["/ws/echo", "/ws/broadcast?after=0", "/ws/broadcast?after=x"]);
    let websocket = (path, prop::collection::vec(frames(), 0..6))
        .prop_map(|(path, frames)| [upgrade(path).into_bytes(), frames.concat()].concat());
    let requests = prop::collection::vec(request(), 0..3);
    let damage = prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()));
    let end = prop::option::weighted(0.2, any::<prop::sample::Index>());
    (requests, prop::option::weighted(0.8, websocket), damage, end).prop_map(
        |(requests, websocket, damage, end)| {
            let mut bytes = [requests.concat(), websocket.unwrap_or_default()].concat();
            if let Some(end) = end {
                bytes.truncate(end.index(bytes.len() + 1));
            }
            if let Some((at, byte)) = damage.filter(|_| !bytes.is_empty()) {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        },
    )
}

/// What is answered to `bytes` if they come cut at `cuts`, and what a subscriber is sent after them.
fn answers(bytes: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<u8>) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(bytes.len());
    let mut talk = Talk::new();
    let mut from = 0;
    let mut out = Vec::new();
    for cut in cuts {
        out.append(&mut talk.hear(&bytes[from..cut]));
        from = cut;
    }
    (out, talk.delivered())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn how_a_conversation_is_cut_changes_no_answer(
        bytes in conversation(),
        cuts in prop::collection::vec(any::<usize>(), 1..12),
    ) {
        let whole = answers(&bytes, &[]);
        prop_assert_eq!(&answers(&bytes, &cuts), &whole);
        let everywhere: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(&answers(&bytes, &everywhere), &whole);
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        start in prop::sample::select(vec!["", "/ws/echo", "/ws/broadcast"]),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        let start = if start.is_empty() { String::new() } else { upgrade(start) };
        let bytes = [start.as_bytes(), &bytes].concat();
        prop_assert_eq!(answers(&bytes, &cuts), answers(&bytes, &[]));
    }
}

/// Feeds `piece` to a connection again and again: the most that it ever holds.
fn most_held(start: &[u8], piece: &[u8]) -> usize {
    let mut talk = Talk::new();
    talk.hear(start);
    (0..2000)
        .map(|_| {
            talk.hear(piece);
            talk.session.held_bytes()
        })
        .max()
        .unwrap_or(0)
}

#[test]
fn what_one_connection_can_make_it_hold_is_bounded() {
    let post = "POST /publish HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let echo = upgrade("/ws/echo");
    let in_message = [echo.into_bytes(), frame(false, Opcode::Binary, b"")].concat();
    let cases = [
        ("a head without end", b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'x'; 100], 40_000),
        ("headers without end", b"GET / HTTP/1.1\r\n".to_vec(), b"X: y\r\n".to_vec(), 40_000),
        ("blank lines without end", Vec::new(), b"\r\n".to_vec(), 40_000),
        ("chunks without end", post.into(), b"1\r\nx\r\n".to_vec(), 2000),
        ("a chunk's extension without end", format!("{post}1;").into(), vec![b'x'; 100], 5000),
        ("trailers without end", format!("{post}0\r\n").into(), b"X: y\r\n".to_vec(), 2000),
        ("fragments without end", in_message.clone(), frame(false, Opcode::Continuation, &[7; 50]), 20_000),
        ("empty fragments without end", in_message.clone(), frame(false, Opcode::Continuation, b""), 20_000),
        ("pings within a message", in_message, frame(true, Opcode::Ping, &[7; 100]), 20_000),
    ];
    for (what, start, piece, bound_bytes) in cases {
        let most = most_held(&start, &piece);
        assert!(most <= bound_bytes, "{what}: {most} bytes");
        if let Some(half) = piece.get(..piece.len() / 2).filter(|half| !half.is_empty()) {
            let most = most_held(&start, half);
            assert!(most <= bound_bytes, "{what}, cut: {most} bytes");
        }
    }
}

#[test]
fn holds_no_buffer_between_requests_and_between_messages() {
    let mut talk = Talk::new();
    let mut hear_in_two = |bytes: &[u8]| {
        let (start, end) = bytes.split_at(bytes.len() / 2);
        talk.hear(start);
        let within = talk.session.held_bytes();
        assert!(!talk.hear(end).is_empty());
        (within > 0, talk.session.held_bytes())
    };
    assert_eq!(hear_in_two(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), (true, 0));
    let post = format!("POST /publish HTTP/1.1\r\nContent-Length: 150\r\n\r\n{}", "x".repeat(150));
    assert_eq!(hear_in_two(post.as_bytes()), (true, 0));
    assert_eq!(hear_in_two(upgrade("/ws/echo").as_bytes()), (true, 0));
    assert_eq!(hear_in_two(&frame(true, Opcode::Binary, &[7; 5000])), (true, 0));
    assert_eq!(hear_in_two(&frame(true, Opcode::Ping, &[7; 100])), (true, 0));
}

#[test]
fn answers_requests_in_order_until_one_ends_the_connection() {
    let mut talk = Talk::new();
    let answers = talk.hear_text(
        "GET /nowhere HTTP/1.1\r\n\r\nPOST /publish?event=tick HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi\
         HEAD / HTTP/1.1\r\n\r\nGET /stats HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    );
    let statuses: Vec<&str> =
        answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["404", "202", "405", "200"]);
    assert!(answers.contains("\r\n\r\n{\"id\":1,\"subscribers\":0}HTTP/1.1"), "{answers}");
    assert!(answers.contains("\r\n\r\nHTTP/1.1 200"), "no body goes to HEAD: {answers}");
    assert!(talk.session.is_done());
}

#[test]
fn an_echo_too_long_is_refused_before_it_comes() {
    let mut talk = Talk::new();
    talk.hear(upgrade("/ws/echo").as_bytes());
    let longest = frame(true, Opcode::Binary, &vec![7; LIMITS.echo_bytes]);
    assert_eq!(talk.hear(&longest).len(), longest.len() - 4, "the same frame without its mask");
    let too_long = frame(true, Opcode::Binary, &vec![7; LIMITS.echo_bytes + 1]);
    assert_eq!(talk.hear(&too_long[..8])[..4], [0x88, 17, 0x03, 0xf1], "close 1009");
    assert!(talk.session.is_done());
}
