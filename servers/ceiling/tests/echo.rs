//! `WS /ws/echo`.

mod common;

use common::{Server, frame};
use framing::Opcode;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_websockets::{ClientBuilder, Limits, Message};

const LONGEST: usize = 1024 * 1024;

/// Where the form of the header changes, where the server's buffer ends, and the limit.
const LENGTHS: [usize; 16] = [
    0,
    1,
    124,
    125,
    126,
    127,
    4095,
    4096,
    65_535,
    65_536,
    65_537,
    262_130,
    262_144,
    262_158,
    LONGEST - 1,
    LONGEST,
];

fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 251) as u8).collect()
}

/// An independent client agrees that what it sends comes back.
#[tokio::test]
async fn every_length_comes_back_as_text_and_as_bytes() {
    let server = Server::start(&[]);
    let uri = format!("ws://{}/ws/echo", server.address);
    let builder = ClientBuilder::new().uri(&uri).unwrap().limits(Limits::unlimited());
    let (mut client, _) = builder.connect().await.unwrap();
    for length in LENGTHS {
        let text = "x".repeat(length);
        client.send(Message::text(text.clone())).await.unwrap();
        let reply = client.next().await.unwrap().unwrap();
        assert_eq!(reply.as_text(), Some(text.as_str()), "text of {length} bytes");

        client.send(Message::binary(payload(length))).await.unwrap();
        let reply = client.next().await.unwrap().unwrap();
        assert!(reply.is_binary() && reply.as_payload()[..] == payload(length), "{length} bytes");
    }
    client.close().await.unwrap();
}

#[test]
fn pipelined_messages_come_back_in_order() {
    let server = Server::start(&[]);
    let mut client = server.open("/ws/echo");
    // Three kinds: answered in place, cut by the end of the server's buffer, and longer than it.
    let lengths: Vec<usize> = (0..200).map(|n| [10, 3000, 70_000][n % 3] + n).collect();
    let bytes: Vec<u8> =
        lengths.iter().flat_map(|length| frame(true, Opcode::Binary, &payload(*length))).collect();
    let mut sender = client.stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || std::io::Write::write_all(&mut sender, &bytes).unwrap());
    for length in lengths {
        assert_eq!(client.read_frame(), (Opcode::Binary, payload(length)));
    }
    sending.join().unwrap();
}

#[test]
fn fragments_come_back_as_one_with_control_frames_answered_between_them() {
    let server = Server::start(&[]);
    let mut client = server.open("/ws/echo");
    let text = "ein längerer Text, an jeder Stelle geteilt".as_bytes();
    for size in [1, 2, 3, 40] {
        let mut opcode = Opcode::Text;
        let pieces: Vec<&[u8]> = text.chunks(size).collect();
        for (at, piece) in pieces.iter().enumerate() {
            client.send(&frame(at + 1 == pieces.len(), opcode, piece));
            opcode = Opcode::Continuation;
            if at + 1 < pieces.len() {
                client.send_frame(Opcode::Pong, b"nobody asked");
                client.send_frame(Opcode::Ping, &[at as u8; 125]);
                assert_eq!(client.read_frame(), (Opcode::Pong, vec![at as u8; 125]));
            }
        }
        assert_eq!(client.read_frame(), (Opcode::Text, text.to_vec()));
    }
}

#[test]
fn bytes_that_come_one_by_one_make_messages() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let mut bytes = common::upgrade("/ws/echo").into_bytes();
    for length in [0, 5, 130] {
        bytes.extend(frame(true, Opcode::Binary, &payload(length)));
        bytes.extend(frame(true, Opcode::Ping, b"?"));
    }
    for byte in bytes {
        client.send(&[byte]);
        // Not one segment with the next.
        std::thread::sleep(std::time::Duration::from_micros(50));
    }
    assert!(client.read_head().starts_with("HTTP/1.1 101 "));
    for length in [0, 5, 130] {
        assert_eq!(client.read_frame(), (Opcode::Binary, payload(length)));
        assert_eq!(client.read_frame(), (Opcode::Pong, b"?".to_vec()));
    }
}

#[test]
fn what_is_refused_is_closed_with_its_code() {
    let server = Server::start(&["--echo-bytes", "1000"]);
    let too_long_in_fragments =
        [frame(false, Opcode::Binary, &[7; 900]), frame(true, Opcode::Continuation, &[7; 101])].concat();
    let interrupted = [frame(false, Opcode::Text, b"a"), frame(true, Opcode::Text, b"b")].concat();
    let cases: [(&str, Vec<u8>, u16); 15] = [
        ("too long", frame(true, Opcode::Binary, &[7; 1001]), 1009),
        ("too long in fragments", too_long_in_fragments, 1009),
        ("too long by far", b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0".to_vec(), 1009),
        ("text that is not UTF-8", frame(true, Opcode::Text, b"\xff"), 1007),
        ("unmasked", b"\x81\x01a".to_vec(), 1002),
        ("a reserved bit", b"\xc1\x80\0\0\0\0".to_vec(), 1002),
        ("a reserved opcode", b"\x83\x80\0\0\0\0".to_vec(), 1002),
        ("a continuation of nothing", frame(true, Opcode::Continuation, b""), 1002),
        ("a message within another", interrupted, 1002),
        ("a fragmented ping", frame(false, Opcode::Ping, b""), 1002),
        ("a long ping", frame(true, Opcode::Ping, &[7; 126]), 1002),
        ("a length not in its shortest form", b"\x82\xfe\0\x05\0\0\0\0hello".to_vec(), 1002),
        ("a close of one byte", frame(true, Opcode::Close, b"\x03"), 1002),
        ("a close with a code not to be sent", frame(true, Opcode::Close, &1005_u16.to_be_bytes()), 1002),
        ("a close with a reason that is not UTF-8", frame(true, Opcode::Close, b"\x03\xe8\xff"), 1007),
    ];
    for (what, bytes, code) in cases {
        let mut client = server.open("/ws/echo");
        client.send(&bytes);
        assert_eq!(client.read_close(), Some(code), "{what}");
    }
}

#[test]
fn a_close_is_answered_with_its_code() {
    let server = Server::start(&[]);
    for body in [&b""[..], b"\x03\xe8", b"\x0f\xa1bye"] {
        let mut client = server.open("/ws/echo");
        client.send_frame(Opcode::Close, body);
        client.send_frame(Opcode::Text, b"not heard any more");
        let expected = body.first_chunk().map(|code| u16::from_be_bytes(*code));
        assert_eq!(client.read_close(), expected);
    }
}
