//! A server of our own for each test, and clients that say exactly what they are told to.

#![allow(dead_code, reason = "each test uses a part")]

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use framing::{Header, Opcode, apply_mask};

/// Long enough for any machine: what takes longer hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// With two event loops, unless `flags` say otherwise.
    pub(crate) fn start(flags: &[&str]) -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < HANGS, "no server came up");
            // Below the ephemeral ports, so that no client's port is in the way.
            let offset =
                std::process::id().wrapping_mul(61) + u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = 12_000 + (offset % 20_000) as u16;
            let process = Command::new(env!("CARGO_BIN_EXE_ceiling-server"))
                .env("WORKERS", "2")
                .args(["--port", &port.to_string()])
                .args(flags)
                .spawn()
                .expect("the server's binary can be started");
            let mut server = Self { process, address: (Ipv4Addr::LOCALHOST, port).into() };
            if server.is_ready() {
                return server;
            }
        }
    }

    /// `false` if the port was taken.
    fn is_ready(&mut self) -> bool {
        while self.process.try_wait().expect("a child can be asked").is_none() {
            if TcpStream::connect(self.address).is_ok() {
                // Another test's server may have the port, and ours not yet have found out.
                sleep(Duration::from_millis(20));
                return self.process.try_wait().expect("a child can be asked").is_none();
            }
            sleep(Duration::from_millis(5));
        }
        false
    }

    pub(crate) fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket option");
        stream.set_read_timeout(Some(HANGS)).expect("a socket option");
        stream.set_write_timeout(Some(HANGS)).expect("a socket option");
        Client { stream, buffer: Vec::new() }
    }

    /// A WebSocket at `path`.
    pub(crate) fn open(&self, path: &str) -> Client {
        let mut client = self.connect();
        client.send(upgrade(path).as_bytes());
        let head = client.read_head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
        client
    }

    /// Status and body of one request on a connection of its own.
    pub(crate) fn request(&self, request: &str) -> (u16, serde_json::Value) {
        let mut client = self.connect();
        client.send(request.as_bytes());
        client.read_answer()
    }

    pub(crate) fn publish(&self, body: &str) -> (u16, serde_json::Value) {
        let length = body.len();
        self.request(&format!("POST /publish HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"))
    }

    /// Asks it to end: does it, within `patience`?
    pub(crate) fn ends_on_sigterm(mut self, patience: Duration) -> bool {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("our own child");
        let start = Instant::now();
        while start.elapsed() < patience {
            if self.process.try_wait().expect("a child can be asked").is_some() {
                return true;
            }
            sleep(Duration::from_millis(5));
        }
        false
    }

    /// `GET /stats`, once `until` holds.
    pub(crate) fn stats_when(&self, until: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let start = Instant::now();
        loop {
            let (status, stats) = self.request("GET /stats HTTP/1.1\r\n\r\n");
            assert_eq!(status, 200);
            if until(&stats) {
                return stats;
            }
            assert!(start.elapsed() < HANGS, "still {stats}");
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// A frame as a client sends it.
pub(crate) fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let key = [0x12, 0x34, 0x56, 0x78];
    let mut bytes = Vec::new();
    Header { fin, opcode, mask: Some(key), payload_bytes: payload.len() as u64 }.encode(&mut bytes);
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    apply_mask(&mut bytes[start..], key, 0);
    bytes
}

/// One connection, blocking.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    pub(crate) fn send_frame(&mut self, opcode: Opcode, payload: &[u8]) {
        self.send(&frame(true, opcode, payload));
    }

    /// `false` at the end of the stream.
    fn fill(&mut self) -> bool {
        let mut piece = [0; 65_536];
        let bytes = self.stream.read(&mut piece).expect("the server answers");
        self.buffer.extend_from_slice(&piece[..bytes]);
        bytes > 0
    }

    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            assert!(self.fill(), "the stream ended after {:?}", self.buffer);
        }
        let rest = self.buffer.split_off(length);
        std::mem::replace(&mut self.buffer, rest)
    }

    pub(crate) fn read_head(&mut self) -> String {
        loop {
            if let Some(at) = self.buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                return String::from_utf8(self.take(at + 4)).expect("a head is text");
            }
            assert!(self.fill(), "the stream ended in a head");
        }
    }

    /// Status and JSON of an answer.
    pub(crate) fn read_answer(&mut self) -> (u16, serde_json::Value) {
        let head = self.read_head();
        assert!(head.contains("\r\nContent-Type: application/json\r\n"), "{head}");
        let (_, rest) = head.split_once("Content-Length: ").expect("a length");
        let length = rest.lines().next().unwrap_or_default().parse().expect("a number");
        let body = self.take(length);
        let status = head[9..12].parse().expect("a status");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    /// The next frame: none is masked, and all are whole messages.
    pub(crate) fn read_frame(&mut self) -> (Opcode, Vec<u8>) {
        let (header, length) = loop {
            match Header::decode(&self.buffer).expect("a valid frame") {
                Some(found) => break found,
                None => assert!(self.fill(), "the stream ended in a header"),
            }
        };
        assert!(header.fin && header.mask.is_none(), "{header:?}");
        self.take(length);
        (header.opcode, self.take(header.payload_bytes as usize))
    }

    pub(crate) fn read_text(&mut self) -> String {
        let (opcode, payload) = self.read_frame();
        assert_eq!(opcode, Opcode::Text, "{payload:?}");
        String::from_utf8(payload).expect("text is UTF-8")
    }

    /// The code of a close frame, after which the stream must end.
    pub(crate) fn read_close(&mut self) -> Option<u16> {
        let (opcode, payload) = self.read_frame();
        assert_eq!(opcode, Opcode::Close, "{payload:?}");
        self.read_end();
        payload.first_chunk().map(|code| u16::from_be_bytes(*code))
    }

    /// Whatever whole frames still come until the connection ends, in good order or not.
    pub(crate) fn read_all_frames(&mut self) -> Vec<(Opcode, Vec<u8>)> {
        // A reset after the last bytes is an end, too.
        let _ = self.stream.read_to_end(&mut self.buffer);
        let mut frames = Vec::new();
        while let Some((header, length)) = Header::decode(&self.buffer).expect("a valid frame")
            && self.buffer.len() >= length + header.payload_bytes as usize
        {
            frames.push(self.read_frame());
        }
        frames
    }

    pub(crate) fn read_end(&mut self) {
        assert!(self.buffer.is_empty() && !self.fill(), "more came: {:?}", self.buffer);
    }
}
