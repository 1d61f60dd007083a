//! A server of echo, broadcast and xhr, a thread a connection, that does what its script says.
#![allow(dead_code, unused_imports)] // Each test binary uses its part.

mod hub;
mod loads;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use framing::{Header, Opcode, Parser};
use hub::Hub;
pub use hub::{answer_to_poll, delivery, event, event_stream};
pub use loads::{
    broadcast, by, causes, chat, connect, countdown, echo, feeds, load, measure, open_echo, xhr,
};
use socket2::SockRef;

/// What a server does next on a connection.
pub enum Do {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes, each by itself.
    Trickle(Vec<u8>),
    /// Sends these bytes, and ends the connection with a reset.
    Reset(Vec<u8>),
    /// Sends these bytes, and then nothing for ever.
    Last(Vec<u8>),
}

type Answer = Box<dyn Fn(&str) -> Do + Send + Sync>;
type Reply = Box<dyn Fn(u64, Opcode, &[u8]) -> Do + Send + Sync>;
type Count = Box<dyn Fn(u64, u64) -> Do + Send + Sync>;
type Deliver = Box<dyn Fn(u64, usize, &str) -> Do + Send + Sync>;
type Feed = Box<dyn Fn(u64, bool) -> Do + Send + Sync>;
type Head = Box<dyn Fn() -> Do + Send + Sync>;
type Polled = Box<dyn Fn(u64, usize, &[String]) -> Do + Send + Sync>;
type Receipt = Box<dyn Fn(u64, usize) -> Do + Send + Sync>;
type Close = Box<dyn Fn(&[u8]) -> Do + Send + Sync>;

/// What a server does; by default the right thing.
pub struct Script {
    /// The answer to an upgrade, by its right accept key.
    pub answer: Answer,
    /// The reply to an echo message, by its number among all, its kind and its bytes.
    pub reply: Reply,
    /// The answer to a close, by its payload; the connection then ends.
    pub close: Close,
    /// The answer to a request for a count, by its number among all and the count.
    pub count: Count,
    /// What a subscriber by WebSocket is sent of a publication, by its id, the number of the subscriber and its data.
    pub deliver: Deliver,
    /// The head of an event stream.
    pub head: Head,
    /// What a subscriber by SSE is sent, likewise.
    pub event: Deliver,
    /// The answer to a poll, by the first id, the number of the subscriber and the data of all publications from that id on.
    pub polled: Polled,
    /// How long a poll waits.
    pub poll_wait: Duration,
    /// The answer to a request for the feed, by its number among all, from 0, and whether it asks for an event stream.
    pub feed: Feed,
    /// The answer to a publication, by its id and the number of subscribers.
    pub receipt: Receipt,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            answer: Box::new(|accept| Do::Send(switching(accept))),
            reply: Box::new(|_, opcode, payload| Do::Send(frame(opcode, payload))),
            close: Box::new(|payload| Do::Send(frame(Opcode::Close, payload))),
            count: Box::new(|_, count| Do::Send(counted(count))),
            deliver: Box::new(|id, _, data| Do::Send(delivery(id, data))),
            head: Box::new(|| Do::Send(event_stream())),
            event: Box::new(|id, _, data| Do::Send(event(id, data))),
            polled: Box::new(|first, _, data| Do::Send(answer_to_poll(first, data))),
            poll_wait: Duration::from_secs(60),
            feed: Box::new(|_, by_sse| Do::Send(feed(by_sse))),
            receipt: Box::new(|id, subscribers| Do::Send(accepted(id, subscribers))),
        }
    }
}

/// The right answer to an upgrade.
pub fn switching(accept: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes()
}

/// The right answer to a publication.
pub fn accepted(id: u64, subscribers: usize) -> Vec<u8> {
    answer(202, &format!(r#"{{"id":{id},"subscribers":{subscribers}}}"#))
}

/// The right answer to a request for a count.
pub fn counted(count: u64) -> Vec<u8> {
    answer(200, &format!(r#"{{"count":{}}}"#, count - 1))
}

fn item(id: u64) -> String {
    format!(r#"{{"id":{id},"text":"a \"quoted\" word"}}"#)
}

/// The right answer to a request for the feed.
pub fn feed(by_sse: bool) -> Vec<u8> {
    if !by_sse {
        return answer(200, &format!("[{}]", (1..=500).map(item).collect::<Vec<_>>().join(",")));
    }
    let events: String = (1..=500).map(|id| format!("id: {id}\ndata: {}\n\n", item(id))).collect();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    format!("{head}{:x}\r\n{events}\r\n0\r\n\r\n", events.len()).into_bytes()
}

/// An answer over HTTP.
pub fn answer(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} S\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The right answer to a message on `WS /ws/countdown`.
pub fn counted_message(message: &[u8]) -> Vec<u8> {
    let digits = message.strip_prefix(br#"{"count":"#).and_then(|rest| rest.strip_suffix(b"}"));
    let count: u64 = str::from_utf8(digits.expect("a count")).expect("text").parse().expect("a number");
    frame(Opcode::Text, format!(r#"{{"count":{}}}"#, count - 1).as_bytes())
}

/// A server's frame.
pub fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Header { fin: true, opcode, mask: None, payload_bytes: payload.len() as u64 }.encode(&mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

struct Server {
    script: Script,
    replies: AtomicU64,
    hub: Hub,
}

/// Starts a server, which ends with the test.
pub fn serve(script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let server = Arc::new(Server { script, replies: AtomicU64::new(0), hub: Hub::default() });
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let server = Arc::clone(&server);
            // An error means that the client is gone, or should be.
            thread::spawn(move || server.connection(stream));
        }
    });
    address
}

impl Server {
    fn connection(&self, mut stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut poller = None;
        loop {
            let (path, headers) = request(&mut reader)?;
            let what = if path == "/publish" {
                let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
                reader.read_exact(&mut body).ok()?;
                self.hub.publish(str::from_utf8(&body).ok()?, &self.script)
            } else if let Some(count) = path.strip_prefix("/xhr?count=") {
                let number = self.replies.fetch_add(1, SeqCst) + 1;
                let what = (self.script.count)(number, count.parse().ok()?);
                if headers.get("connection").is_some_and(|value| value == "close") {
                    return act(what, &mut reader, &mut stream);
                }
                what
            } else if path == "/feed" || path == "/feed/sse" {
                (self.script.feed)(self.replies.fetch_add(1, SeqCst), path == "/feed/sse")
            } else if path == "/stats" {
                Do::Send(answer(200, &format!(r#"{{"publications":{}}}"#, self.hub.newest())))
            } else if let Some(after) = path.strip_prefix("/poll?after=") {
                let number = *poller.get_or_insert_with(|| self.hub.number());
                self.hub.poll(after.parse().ok()?, number, &self.script)
            } else if path == "/sse" {
                return self.subscribe((self.script.head)(), true, &mut reader, &mut stream);
            } else {
                let answer = (self.script.answer)(&framing::accept_key(headers.get("sec-websocket-key")?));
                if path == "/ws/broadcast" {
                    return self.subscribe(answer, false, &mut reader, &mut stream);
                }
                act(answer, &mut reader, &mut stream)?;
                if path == "/feed/ws" {
                    let items = (1..=500).flat_map(|id| frame(Opcode::Text, item(id).as_bytes()));
                    let close = frame(Opcode::Close, b"\x03\xe8");
                    stream.write_all(&[items.collect(), close].concat()).ok()?;
                    // It ends when the client has answered the close.
                    return messages(&mut reader, |_, _, _| None);
                }
                return messages(&mut reader, |opcode, payload, reader| {
                    if opcode == Opcode::Close {
                        act((self.script.close)(payload), reader, &mut stream)?;
                        return None;
                    }
                    let number = self.replies.fetch_add(1, SeqCst) + 1;
                    act((self.script.reply)(number, opcode, payload), reader, &mut stream)
                });
            };
            act(what, &mut reader, &mut stream)?;
        }
    }

    /// Sends the answer that begins a subscription, and all publications after it.
    fn subscribe(
        &self,
        answer: Do,
        by_sse: bool,
        reader: &mut BufReader<TcpStream>,
        stream: &mut TcpStream,
    ) -> Option<()> {
        let Do::Send(answer) = answer else { return act(answer, reader, stream) };
        self.hub.subscribe(&answer, by_sse, stream)?;
        if by_sse {
            return std::io::copy(reader, &mut std::io::sink()).ok().map(|_| ());
        }
        // A message sent here is a publication.
        messages(reader, |opcode, payload, _| {
            let text = Some(payload).filter(|_| opcode == Opcode::Text)?;
            self.hub.publish(str::from_utf8(text).ok()?, &self.script);
            Some(())
        })
    }
}

/// Hands each message and each close to `each`.
fn messages(
    reader: &mut BufReader<TcpStream>,
    mut each: impl FnMut(Opcode, &[u8], &mut BufReader<TcpStream>) -> Option<()>,
) -> Option<()> {
    let (mut parser, mut buffer) = (Parser::of_client_frames(), vec![0; 65536]);
    let mut message = Vec::new();
    loop {
        let length = reader.read(&mut buffer).ok().filter(|&length| length > 0)?;
        let mut input = &mut buffer[..length];
        while let Some(chunk) = parser.next(&mut input).ok()? {
            message.extend_from_slice(chunk.payload);
            if !chunk.last {
                continue;
            }
            let payload = std::mem::take(&mut message);
            if chunk.opcode == Opcode::Close || !chunk.opcode.is_control() {
                each(chunk.opcode, &payload, reader)?;
            }
        }
    }
}

/// `None`: the connection has ended.
fn act(what: Do, reader: &mut BufReader<TcpStream>, stream: &mut TcpStream) -> Option<()> {
    match what {
        Do::Send(bytes) => stream.write_all(&bytes).ok(),
        Do::Trickle(bytes) => bytes.iter().try_for_each(|byte| stream.write_all(&[*byte])).ok(),
        Do::Reset(bytes) => {
            stream.write_all(&bytes).ok()?;
            SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).ok()?;
            None
        }
        Do::Last(bytes) => {
            stream.write_all(&bytes).ok()?;
            std::io::copy(reader, &mut std::io::sink()).ok()?;
            None
        }
    }
}

/// Path and headers of a request; the names of the headers in lower case.
fn request(reader: &mut impl BufRead) -> Option<(String, BTreeMap<String, String>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(": ") else { return Some((path, headers)) };
        headers.insert(name.to_lowercase(), value.trim_end().to_owned());
    }
}
