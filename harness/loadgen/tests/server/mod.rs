//! A server of echo, broadcast and xhr, a thread a connection, that does what its script says.
#![allow(dead_code)] // Each test binary uses its part.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use framing::{Header, Opcode, Parser};
use loadgen::{
    Arrivals, Connecting, Event, Kind, Load, Measurement, Phase, Process, Timing, Transport, Workload, run,
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
    /// What a subscriber is sent of a publication, by its id, the number of the subscriber and its data.
    pub deliver: Deliver,
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

/// A publication as a subscriber gets it.
pub fn delivery(id: u64, data: &str) -> Vec<u8> {
    frame(Opcode::Text, format!(r#"{{"id":{id},"data":"{data}"}}"#).as_bytes())
}

struct Server {
    script: Script,
    replies: AtomicU64,
    hub: Mutex<Hub>,
    numbers: AtomicUsize,
}

#[derive(Default)]
struct Hub {
    newest: u64,
    subscribers: Vec<(usize, TcpStream)>,
}

/// Starts a server, which ends with the test.
pub fn serve(script: Script) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let server = Arc::new(Server {
        script,
        replies: AtomicU64::new(0),
        hub: Mutex::default(),
        numbers: AtomicUsize::new(0),
    });
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
        loop {
            let (path, headers) = request(&mut reader)?;
            if path == "/publish" {
                let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
                reader.read_exact(&mut body).ok()?;
                act(self.publish(str::from_utf8(&body).ok()?), &mut reader, &mut stream)?;
                continue;
            }
            if let Some(count) = path.strip_prefix("/xhr?count=") {
                let number = self.replies.fetch_add(1, SeqCst) + 1;
                act((self.script.count)(number, count.parse().ok()?), &mut reader, &mut stream)?;
                if headers.get("connection").is_some_and(|value| value == "close") {
                    return None;
                }
                continue;
            }
            let accept = framing::accept_key(headers.get("sec-websocket-key")?);
            let answer = match (self.script.answer)(&accept) {
                Do::Send(answer) => answer,
                // No upgrade, and so no subscriber.
                other => return act(other, &mut reader, &mut stream),
            };
            // Counted before it is answered, as the contract says.
            let number = self.numbers.fetch_add(1, SeqCst);
            let mut hub = self.hub.lock().ok()?;
            if path == "/ws/broadcast" {
                hub.subscribers.push((number, stream.try_clone().ok()?));
            }
            stream.write_all(&answer).ok()?;
            drop(hub);
            return self.messages(&mut reader, &mut stream);
        }
    }

    fn messages(&self, reader: &mut BufReader<TcpStream>, stream: &mut TcpStream) -> Option<()> {
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
                if chunk.opcode == Opcode::Close {
                    act((self.script.close)(&payload), reader, stream)?;
                    return None;
                }
                if chunk.opcode.is_control() {
                    continue;
                }
                let number = self.replies.fetch_add(1, SeqCst) + 1;
                act((self.script.reply)(number, chunk.opcode, &payload), reader, stream)?;
            }
        }
    }

    fn publish(&self, data: &str) -> Do {
        let mut hub = self.hub.lock().expect("no test panics in here");
        hub.newest += 1;
        let id = hub.newest;
        hub.subscribers.retain(|(number, stream)| {
            let mut stream = stream;
            match (self.script.deliver)(id, *number, data) {
                Do::Send(bytes) => stream.write_all(&bytes).is_ok(),
                Do::Trickle(bytes) => bytes.iter().all(|byte| stream.write_all(&[*byte]).is_ok()),
                Do::Last(bytes) => stream.write_all(&bytes).is_err(),
                Do::Reset(bytes) => {
                    let _ = stream.write_all(&bytes);
                    // Another thread reads from it and holds it open: the end of the reading closes it.
                    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
                    let _ = stream.shutdown(std::net::Shutdown::Read);
                    false
                }
            }
        });
        (self.script.receipt)(id, hub.subscribers.len())
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

/// A short load.
pub fn load(target: SocketAddr, threads: usize, workload: Workload) -> Load {
    let timing = Timing { warmup_s: 0.05, warmup_max_s: 0.0, seconds: 0.3, settle_s: 0.0, patience_s: 5.0 };
    let connecting = Connecting::default();
    Load { target, timing, threads: number(threads), spin: false, spin_us: 0, connecting, workload }
}

/// An echo of text.
pub fn echo(connections: usize, pipeline: usize, payload_bytes: usize) -> Workload {
    Workload::Echo {
        connections: number(connections),
        pipeline: number(pipeline),
        messages: None,
        payload_bytes,
        kind: Kind::Text,
        stagger_bytes: 0,
        arrivals: Arrivals::default(),
    }
}

/// An echo in open loop.
pub fn open_echo(connections: usize, rate: u32, process: Process) -> Workload {
    let mut workload = echo(connections, 1, 64);
    if let Workload::Echo { arrivals, .. } = &mut workload {
        *arrivals = Arrivals { rate: NonZeroU32::new(rate), process, seed: 1 };
    }
    workload
}

/// Countdowns by XHR.
pub fn xhr(connections: usize) -> Workload {
    Workload::Xhr { connections: number(connections) }
}

/// Countdowns from this number.
pub fn countdown(clients: usize, from: u64, transport: Transport) -> Workload {
    let from = NonZeroU64::new(from).expect("tests count from one at least");
    Workload::Countdown { clients: number(clients), from, transport }
}

/// Connections of so many messages each, one after the other.
pub fn connect(connections: usize, messages: u32, transport: Transport) -> Workload {
    let messages = NonZeroU32::new(messages).expect("tests send one at least");
    Workload::Connect { connections: number(connections), messages, transport, storm: false }
}

/// A broadcast, in open loop if there is a rate.
pub fn broadcast(subscribers: usize, publishers: usize, rate: Option<u32>) -> Workload {
    Workload::Broadcast {
        subscribers: number(subscribers),
        publishers: number(publishers),
        payload_bytes: 100,
        arrivals: Arrivals { rate: rate.and_then(NonZeroU32::new), ..Arrivals::default() },
    }
}

fn number(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("tests ask for one at least")
}

/// Runs a load: the measurement, and the phases as they began.
pub fn measure(load: &Load) -> (Measurement, Vec<Phase>) {
    let mut phases = Vec::new();
    let measurement = run(load, |event| match event {
        Event::Phase(phase) => phases.push(phase),
        Event::Step(_) => {}
        Event::Measurement(_) => panic!("run returns the measurement"),
    });
    (measurement.expect("a measurement"), phases)
}

/// Counts by cause, as they are in a measurement.
pub fn causes<const N: usize>(causes: [(&str, u64); N]) -> BTreeMap<String, u64> {
    causes.map(|(cause, times)| (cause.to_owned(), times)).into()
}
