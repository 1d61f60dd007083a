use std::fmt;
use std::time::Instant;

use framing::{Header, Opcode, Parser, accept_key};

use crate::check::ensure;
use crate::client::http::{Answer, Http};
use crate::client::socket::{Interruption, Socket};
use crate::client::{abbreviate, difference};
use crate::{Failure, Target};

/// The key of RFC 6455, section 1.3.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The fields of a valid upgrade (RFC 6455, section 4.1).
pub(crate) const UPGRADE: [(&str, &str); 4] = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
];

/// Far above what the contract lets a server send.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// A WebSocket connection whose frames are checked by [`framing::Parser`]: a masked or malformed one is
/// an [`Interruption`].
pub(crate) struct WebSocket {
    pub(crate) socket: Socket,
    parser: Parser,
    data: Vec<u8>,
    control: Vec<u8>,
}

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    /// Seen by [`WebSocket::read_ping`] alone: the others answer it and pass it over.
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// The code, if there is one, and the reason.
    Close(Option<u16>, Vec<u8>),
}

impl WebSocket {
    pub(crate) fn connect(target: &Target, path: &str) -> Result<Self, Failure> {
        Self::over(Http::connect(target)?, path)
    }

    /// Upgrades an open connection.
    pub(crate) fn over(mut http: Http, path: &str) -> Result<Self, Failure> {
        let answer = http.request("GET", path, &UPGRADE, b"")?;
        Self::accepted(http, &answer).map_err(|failure| failure.when(format!("to the upgrade of {path}")))
    }

    /// The connection after the answer to an upgrade with [`KEY`] (RFC 6455, section 4.2.2).
    pub(crate) fn accepted(http: Http, answer: &Answer) -> Result<Self, Failure> {
        let field = |name| answer.field(name).unwrap_or_default();
        let observed = || format!("{}, with the body {}", answer.status, abbreviate(&answer.body));
        ensure(answer.status == 101, "the status 101", observed())?;
        let upgrade = field("upgrade");
        ensure(upgrade.eq_ignore_ascii_case("websocket"), "the field Upgrade: websocket", upgrade)?;
        let connection = field("connection");
        let upgrades = connection.split(',').any(|option| option.trim().eq_ignore_ascii_case("upgrade"));
        ensure(upgrades, "the field Connection: Upgrade", connection)?;
        let (accept, expected) = (field("sec-websocket-accept"), accept_key(KEY));
        ensure(accept == expected, format!("the field Sec-WebSocket-Accept: {expected}"), accept)?;
        Ok(Self {
            socket: http.socket,
            parser: Parser::of_server_frames(),
            data: Vec::new(),
            control: Vec::new(),
        })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.socket.send(bytes).map_err(|interruption| interruption.awaiting("an open connection to send on"))
    }

    pub(crate) fn send_text(&mut self, text: &str) -> Result<(), Failure> {
        self.send(&frame(Opcode::Text, text.as_bytes()))
    }

    /// Reads the next message. Pings are answered and passed over.
    pub(crate) fn read(&mut self) -> Result<Message, Interruption> {
        let deadline = self.socket.deadline();
        loop {
            match self.read_any(deadline)? {
                Message::Ping(payload) => self.socket.send(&frame(Opcode::Pong, &payload))?,
                message => return Ok(message),
            }
        }
    }

    /// Awaits a ping, and does not answer it; its bytes.
    pub(crate) fn read_ping(&mut self) -> Result<Vec<u8>, Failure> {
        let deadline = self.socket.deadline();
        match self.read_any(deadline) {
            Ok(Message::Ping(payload)) => Ok(payload),
            Ok(other) => Err(Failure::new("a ping", other.to_string())),
            Err(interruption) => Err(interruption.awaiting("a ping")),
        }
    }

    fn read_any(&mut self, deadline: Instant) -> Result<Message, Interruption> {
        loop {
            let mut input = self.socket.unread();
            let held = input.len();
            let chunk = match self.parser.next(&mut input) {
                Ok(chunk) => chunk,
                Err(error) => return Err(Interruption::Broken(format!("a frame against RFC 6455: {error}"))),
            };
            let complete = match chunk {
                Some(chunk) => {
                    let part = if chunk.opcode.is_control() { &mut self.control } else { &mut self.data };
                    if chunk.first {
                        part.clear();
                    }
                    part.extend_from_slice(chunk.payload);
                    if part.len() > MAX_MESSAGE_BYTES {
                        let limit = format!("a message of more than {MAX_MESSAGE_BYTES} bytes");
                        return Err(Interruption::Broken(limit));
                    }
                    chunk.last.then(|| (chunk.opcode, std::mem::take(part)))
                }
                None => {
                    self.socket.consume(held);
                    self.socket.receive(deadline)?;
                    continue;
                }
            };
            let consumed = held - input.len();
            self.socket.consume(consumed);
            if let Some((opcode, payload)) = complete {
                return message(opcode, payload);
            }
        }
    }

    /// Awaits this message and no other.
    pub(crate) fn expect(&mut self, expected: &Message) -> Result<(), Failure> {
        match self.read() {
            Ok(message) if message == *expected => Ok(()),
            Ok(message) => {
                let difference = difference(expected.payload(), message.payload());
                Err(Failure::new(expected.to_string(), format!("{message}{difference}")))
            }
            Err(interruption) => Err(interruption.awaiting(expected.to_string())),
        }
    }

    pub(crate) fn expect_text(&mut self, text: &str) -> Result<(), Failure> {
        self.expect(&Message::Text(text.into()))
    }

    /// Awaits a close frame with one of the codes and any reason.
    pub(crate) fn expect_close(&mut self, codes: &[u16]) -> Result<(), Failure> {
        let codes_or = codes.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
        let expected = format!("a close frame with code {codes_or}");
        match self.read() {
            Ok(Message::Close(Some(code), _)) if codes.contains(&code) => Ok(()),
            Ok(other) => Err(Failure::new(expected, other.to_string())),
            Err(interruption) => Err(interruption.awaiting(expected)),
        }
    }

    /// Awaits the server's close, answers it as a client should, and awaits the end of the connection.
    pub(crate) fn expect_refusal(&mut self, codes: &[u16]) -> Result<(), Failure> {
        self.expect_close(codes)?;
        // The server may have ended the connection with its close.
        let _ = self.socket.send(&frame(Opcode::Close, &framing::close::NORMAL.to_be_bytes()));
        self.socket.finish_sending();
        self.socket.expect_end().map_err(|failure| failure.when("after the close frame"))
    }

    /// Proves that nothing else was on its way: the next that comes is the answer to a ping.
    pub(crate) fn expect_quiet(&mut self) -> Result<(), Failure> {
        self.send(&frame(Opcode::Ping, b"quiet"))?;
        self.expect(&Message::Pong(b"quiet".into()))
    }

    /// Closes as a client should: a close frame, its answer, the end.
    pub(crate) fn close(mut self) -> Result<(), Failure> {
        self.send(&frame(Opcode::Close, &framing::close::NORMAL.to_be_bytes()))?;
        self.expect_close(&[framing::close::NORMAL])?;
        self.socket.expect_end()
    }
}

fn message(opcode: Opcode, payload: Vec<u8>) -> Result<Message, Interruption> {
    match opcode {
        Opcode::Binary => Ok(Message::Binary(payload)),
        Opcode::Ping => Ok(Message::Ping(payload)),
        Opcode::Pong => Ok(Message::Pong(payload)),
        Opcode::Close => match payload.split_first_chunk() {
            Some((&code, reason)) => Ok(Message::Close(Some(u16::from_be_bytes(code)), reason.to_vec())),
            None if payload.is_empty() => Ok(Message::Close(None, payload)),
            None => Err(Interruption::Broken("a close frame with half a code".to_owned())),
        },
        // The parser gives the fragments of a message the kind of the message.
        Opcode::Text | Opcode::Continuation => Ok(Message::Text(payload)),
    }
}

impl Message {
    pub(crate) fn payload(&self) -> &[u8] {
        match self {
            Self::Text(payload) | Self::Binary(payload) | Self::Ping(payload) | Self::Pong(payload) => {
                payload
            }
            Self::Close(_, reason) => reason,
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = abbreviate(self.payload());
        match self {
            Self::Text(_) => write!(f, "a text message of {payload}"),
            Self::Binary(_) => write!(f, "a binary message of {payload}"),
            Self::Ping(_) => write!(f, "a ping of {payload}"),
            Self::Pong(_) => write!(f, "a pong of {payload}"),
            Self::Close(Some(code), _) => {
                write!(f, "a close frame with code {code} and a reason of {payload}")
            }
            Self::Close(None, _) => write!(f, "a close frame without a code"),
        }
    }
}

/// A whole message, or a control frame, in one masked frame.
pub(crate) fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    fragment(opcode, true, payload)
}

/// One masked frame, not necessarily the last of its message.
pub(crate) fn fragment(opcode: Opcode, fin: bool, payload: &[u8]) -> Vec<u8> {
    // Another key for each length: who kept the key of the frame before would be found out.
    let key = (0x37fa_213d ^ payload.len() as u32).to_be_bytes();
    let mut bytes = Vec::with_capacity(payload.len() + framing::MAX_HEADER_BYTES);
    Header { fin, opcode, mask: Some(key), payload_bytes: payload.len() as u64 }.encode(&mut bytes);
    let header_bytes = bytes.len();
    bytes.extend_from_slice(payload);
    framing::apply_mask(&mut bytes[header_bytes..], key, 0);
    bytes
}
