//! What hostile clients begin with before it is mutated: requests, bodies, handshakes and frames, of which some are wrong.

use fastrand::Rng;
use framing::{Header, Opcode};

use crate::client::calls::{BROADCAST, COUNTDOWN, ECHO, FEED, FEED_SSE, FEED_WS, POLL, SSE};
use crate::client::websocket::UPGRADE;

const METHODS: [&str; 8] = ["GET", "GET", "GET", "POST", "POST", "HEAD", "PUT", "get"];
const TARGETS: [&str; 12] =
    ["/", "/stats", "/xhr", "/publish", "/publish", SSE, POLL, FEED, FEED_SSE, ECHO, "*", "http://x/stats"];
const QUERIES: [&str; 14] = [
    "",
    "",
    "",
    "",
    "?",
    "?count=1",
    "?count=9007199254740993",
    "?after=0",
    "?after=18446744073709551615",
    "?after=-1",
    "?event=news",
    "?event=%0d%0aid:%201",
    "?event=%ff%",
    "?a=b&a=&&=%",
];
const FIELDS: [&str; 20] = [
    "Accept: */*",
    "Last-Event-ID: 1",
    "Last-Event-ID: \u{7f}",
    "Expect: 100-continue",
    "Connection: close",
    "Connection: keep-alive, Upgrade",
    "Upgrade: h2c",
    "Upgrade: websocket",
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length: +5",
    "Content-Length: 5, 6",
    "Content-Length: 18446744073709551615",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding : chunked",
    " folded: yes",
    ": no name",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

pub(super) fn noise(random: &mut Rng) -> Vec<u8> {
    let length = 1 << random.u8(..13);
    (0..length).map(|_| random.u8(..)).collect()
}

/// Some requests on one connection.
pub(super) fn requests(random: &mut Rng) -> Vec<u8> {
    (0..random.u8(1..4)).flat_map(|_| request(random)).collect()
}

fn request(random: &mut Rng) -> Vec<u8> {
    let (method, target) = (one(random, METHODS), one(random, TARGETS));
    let mut bytes = head(random, method, target);
    let (body, frame) = match random.u8(..4) {
        0 => (Vec::new(), None),
        1 => (chunked(random), Some("Transfer-Encoding: chunked".to_owned())),
        _ => {
            let body = payload(random);
            let announced = if random.u8(..8) == 0 { random.usize(..100_000) } else { body.len() };
            (body, Some(format!("Content-Length: {announced}")))
        }
    };
    bytes.extend(frame.iter().flat_map(|field| format!("{field}\r\n").into_bytes()));
    bytes.extend_from_slice(b"\r\n");
    bytes.extend(body);
    bytes
}

/// A request line and fields, without the empty line that ends them.
fn head(random: &mut Rng, method: &str, target: &str) -> Vec<u8> {
    let query = one(random, QUERIES);
    let version = if random.u8(..16) == 0 { one(random, ["1.0", "2.0", "1.", "1.1 "]) } else { "1.1" };
    let mut head = format!("{method} {target}{query} HTTP/{version}\r\nHost: localhost\r\n");
    for _ in 0..random.u8(..3) {
        head += &format!("{}\r\n", one(random, FIELDS));
    }
    // More, or longer ones, than a server takes.
    match random.u8(..64) {
        0 => head += &"Many: fields\r\n".repeat(random.usize(50..500)),
        1 => head += &format!("Long: {}\r\n", "x".repeat(random.usize(4_000..40_000))),
        _ => {}
    }
    head.into_bytes()
}

/// A chunked body (RFC 9112, section 7.1).
fn chunked(random: &mut Rng) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..random.u8(..5) {
        let chunk = payload(random);
        let size = match random.u8(..16) {
            0 => "ffffffffffffffff".to_owned(),
            1 => "-1".to_owned(),
            2 => format!("{:x}", random.u32(..)),
            3 => format!("{:0>64x};name=\"value\r", chunk.len()),
            _ => format!("{:x}", chunk.len()),
        };
        body.extend(format!("{size}\r\n").into_bytes());
        body.extend(chunk);
        body.extend_from_slice(b"\r\n");
    }
    if random.u8(..8) > 0 {
        body.extend_from_slice(one(
            random,
            [b"0\r\n\r\n".as_slice(), b"0\r\nTrailer: yes\r\n\r\n", b"0\r\n"],
        ));
    }
    body
}

/// A handshake, and frames in its packet.
pub(super) fn websocket(random: &mut Rng) -> Vec<u8> {
    let target = one(random, [ECHO, ECHO, BROADCAST, COUNTDOWN, FEED_WS]);
    let mut bytes = head(random, "GET", target);
    for (name, value) in UPGRADE {
        if random.u8(..64) > 0 {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
    }
    bytes.extend_from_slice(b"\r\n");
    for _ in 0..random.u8(..10) {
        frame(random, &mut bytes);
    }
    bytes
}

fn frame(random: &mut Rng, bytes: &mut Vec<u8>) {
    use Opcode::{Binary, Close, Continuation, Ping, Pong, Text};
    let opcode = one(random, [Text, Text, Text, Binary, Continuation, Ping, Pong, Close]);
    let mut payload = match opcode {
        Close => [&random.u16(..6000).to_be_bytes()[..], b"reason"].concat(),
        _ => payload(random),
    };
    let key = random.u32(..).to_be_bytes();
    let mask = (random.u8(..32) > 0).then_some(key);
    let announced =
        if random.u8(..16) == 0 { random.u64(..) >> random.u8(..64) } else { payload.len() as u64 };
    let start = bytes.len();
    Header { fin: random.u8(..4) > 0, opcode, mask, payload_bytes: announced }.encode(bytes);
    if random.u8(..32) == 0 {
        bytes[start] ^= 1 << random.u8(..8);
    }
    if let Some(key) = mask {
        framing::apply_mask(&mut payload, key, 0);
    }
    bytes.extend(payload);
}

/// What is in a body, a chunk or a frame.
fn payload(random: &mut Rng) -> Vec<u8> {
    match random.u8(..8) {
        0 => Vec::new(),
        1 => b"{\"count\":1}".to_vec(),
        2 => noise(random),
        3 => "\u{10ffff}\r\n\0\u{feff}".repeat(random.usize(..20)).into_bytes(),
        // Cut off within a letter.
        4 => "€".repeat(40).into_bytes()[..random.usize(..120)].to_vec(),
        5 => vec![b'x'; random.usize(120..130)],
        6 if random.u8(..16) == 0 => vec![b'y'; random.usize(65_530..65_540)],
        _ => b"a text like any other".to_vec(),
    }
}

fn one<T: Copy, const N: usize>(random: &mut Rng, all: [T; N]) -> T {
    all[random.usize(..N)]
}
