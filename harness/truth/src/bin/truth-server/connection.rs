use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::OnceLock;

use contract::About;
use framing::{Header, Opcode, Parser, accept_key};

/// The longest request, and the longest message.
const MOST_BYTES: usize = 1 << 20;
/// The countdown's step, and the largest count of the contract.
const XHR: &str = "/xhr?count=";
const MOST_COUNT: u64 = 1 << 53;

/// One client.
pub(crate) struct Connection {
    pub(crate) socket: TcpStream,
    stage: Stage,
}

enum Stage {
    /// The request so far.
    Http(Vec<u8>),
    /// The message so far.
    WebSocket(Parser, Vec<u8>),
}

/// A reply that is yet to be sent: a frame, or an answer to `/xhr`.
pub(crate) type Reply = Vec<u8>;

/// An answer to a request.
enum Answer {
    /// Sent at once.
    AtOnce(String),
    /// Sent at once, and from then on the connection is a WebSocket's.
    Upgrade(String),
    /// Held back as an echo's reply is.
    Delayed(String),
}

impl Connection {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self { socket, stage: Stage::Http(Vec::new()) }
    }

    /// Hears what came in: answers at once what is neither an echo message nor a step of the countdown, and hands out a reply
    /// for each that is.
    ///
    /// # Errors
    /// The client is gone, or should be.
    pub(crate) fn hear(&mut self, input: &mut [u8]) -> io::Result<Vec<Reply>> {
        let Stage::Http(request) = &mut self.stage else { return self.hear_frames(input) };
        request.extend_from_slice(input);
        let Some((answer, length)) = answer(request)? else {
            return if request.len() < MOST_BYTES {
                Ok(Vec::new())
            } else {
                Err(refused("a request too long"))
            };
        };
        let mut rest = request.split_off(length);
        request.clear();
        let mut replies = Vec::new();
        match answer {
            Answer::AtOnce(answer) => self.socket.write_all(answer.as_bytes())?,
            Answer::Upgrade(answer) => {
                self.stage = Stage::WebSocket(Parser::of_client_frames(), Vec::new());
                self.socket.write_all(answer.as_bytes())?;
            }
            Answer::Delayed(answer) => replies.push(answer.into_bytes()),
        }
        if !rest.is_empty() {
            replies.extend(self.hear(&mut rest)?);
        }
        Ok(replies)
    }

    fn hear_frames(&mut self, mut input: &mut [u8]) -> io::Result<Vec<Reply>> {
        let Stage::WebSocket(parser, message) = &mut self.stage else { return Ok(Vec::new()) };
        let mut replies = Vec::new();
        while let Some(chunk) = parser.next(&mut input).map_err(|error| refused(&error.to_string()))? {
            match chunk.opcode {
                // Whole as a rule, and if not: a load generator that cares sends another.
                Opcode::Ping => self.socket.write_all(&frame(Opcode::Pong, chunk.payload))?,
                Opcode::Pong => {}
                Opcode::Close => {
                    self.socket.write_all(&frame(Opcode::Close, chunk.payload))?;
                    return Err(refused("closed"));
                }
                kind => {
                    message.extend_from_slice(chunk.payload);
                    if chunk.last {
                        replies.push(frame(kind, message));
                        message.clear();
                    } else if message.len() > MOST_BYTES {
                        return Err(refused("a message too long"));
                    }
                }
            }
        }
        Ok(replies)
    }
}

/// The answer to the request that `bytes` begin with, and that request's length; `None` if there is more of it to come.
fn answer(bytes: &[u8]) -> io::Result<Option<(Answer, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let parsed = request.parse(bytes).map_err(|error| refused(&error.to_string()))?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let key = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("sec-websocket-key"));
    let key = key.and_then(|header| str::from_utf8(header.value).ok());
    let answer = match (request.method, request.path, key) {
        (Some("GET"), Some("/"), _) => Answer::AtOnce(json(200, &serde_json::to_string(&about())?)),
        (Some("GET"), Some("/ws/echo"), Some(key)) => Answer::Upgrade(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            accept_key(key)
        )),
        (Some("GET"), Some(path), _) if path.starts_with(XHR) => {
            let count = path[XHR.len()..].parse().ok().filter(|count| (1..=MOST_COUNT).contains(count));
            count.map_or_else(
                || Answer::AtOnce(json(400, r#"{"error":"count: expected a whole number from 1 to 2^53"}"#)),
                |count| Answer::Delayed(json(200, &format!("{{\"count\":{}}}", count - 1))),
            )
        }
        _ => Answer::AtOnce(json(404, r#"{"error":"not found"}"#)),
    };
    Ok(Some((answer, length)))
}

/// What the server calls itself: as several contenders it has the name of each.
pub(crate) static NAME: OnceLock<String> = OnceLock::new();

fn about() -> About {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    About {
        contender: NAME.get().map_or("truth", String::as_str).to_owned(),
        framework: "none".to_owned(),
        version,
        workers: 1,
    }
}

fn json(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} \r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn frame(opcode: Opcode, payload: &[u8]) -> Reply {
    let mut bytes = Vec::with_capacity(payload.len() + framing::MAX_HEADER_BYTES);
    Header { fin: true, opcode, mask: None, payload_bytes: payload.len() as u64 }.encode(&mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
