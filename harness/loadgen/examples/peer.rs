//! What the load generator is held against: the same closed loop of echo messages by `tokio-websockets`, one task a
//! connection on one current-thread runtime, as its documents teach. `scripts/loadgen-ratios.sh` runs both.
//!
//! `peer TARGET CONNECTIONS PAYLOAD_BYTES WARMUP_S SECONDS` prints one line of JSON: the messages of the measured time
//! and the process's CPU time in it.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use loadgen::Distribution;
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

type Socket = WebSocketStream<TcpStream>;

/// Hexadecimal digits at the start of a message that are its own.
const STAMP_BYTES: usize = 16;

/// What the tasks count.
#[derive(Default)]
struct Counts {
    counting: Cell<bool>,
    messages: Cell<u64>,
    latency: RefCell<Distribution>,
    wrong: Cell<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [target, connections, payload_bytes, warmup_s, seconds] = args.as_slice() else {
        return Err("usage: peer TARGET CONNECTIONS PAYLOAD_BYTES WARMUP_S SECONDS".into());
    };
    let (target, connections, payload_bytes) =
        (target.parse()?, connections.parse()?, payload_bytes.parse()?);
    if payload_bytes < STAMP_BYTES {
        return Err(format!("{payload_bytes} bytes: expected {STAMP_BYTES} or more").into());
    }
    let seconds_of = |text: &str| text.parse().map(Duration::from_secs_f64);
    let (warmup, measured) = (seconds_of(warmup_s)?, seconds_of(seconds)?);
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, drive(target, connections, payload_bytes, warmup, measured))
}

async fn drive(
    target: SocketAddr,
    connections: usize,
    payload_bytes: usize,
    warmup: Duration,
    measured: Duration,
) -> Result<(), Box<dyn Error>> {
    let counts = Rc::new(Counts::default());
    let mut sockets = Vec::new();
    for _ in 0..connections {
        sockets.push(connect(target).await?);
    }
    for (number, socket) in sockets.into_iter().enumerate() {
        tokio::task::spawn_local(exchange(socket, number, payload_bytes, Rc::clone(&counts)));
    }
    tokio::time::sleep(warmup).await;
    counts.counting.set(true);
    let (began, cpu_us) = (Instant::now(), process_cpu_us());
    tokio::time::sleep(measured).await;
    let (cpu_us, seconds) = (process_cpu_us() - cpu_us, began.elapsed().as_secs_f64());
    if counts.wrong.get() > 0 {
        return Err(format!("{} wrong replies or lost connections", counts.wrong.get()).into());
    }
    let p50_us = counts.latency.borrow().quantile_ns(0.5).unwrap_or_default() as f64 / 1e3;
    let messages = counts.messages.get();
    println!(
        "{}",
        serde_json::json!({"messages": messages, "seconds": seconds, "cpu_us": cpu_us, "p50_us": p50_us})
    );
    Ok(())
}

async fn connect(target: SocketAddr) -> Result<Socket, Box<dyn Error>> {
    let stream = TcpStream::connect(target).await?;
    stream.set_nodelay(true)?;
    let uri = format!("ws://{target}/ws/echo");
    Ok(ClientBuilder::new().uri(&uri)?.connect_on(stream).await?.0)
}

/// Sends messages and checks each reply byte for byte, for as long as the process runs.
async fn exchange(mut socket: Socket, number: usize, payload_bytes: usize, counts: Rc<Counts>) {
    let mut payload = "x".repeat(payload_bytes);
    for sequence in 0u64.. {
        payload.replace_range(..STAMP_BYTES, &format!("{number:06x}{sequence:010x}"));
        let sent = Instant::now();
        let is_sent = socket.send(Message::text(payload.clone())).await.is_ok();
        let reply = socket.next().await;
        let is_right = matches!(&reply, Some(Ok(reply)) if reply.as_text() == Some(&payload));
        if !is_sent || !is_right {
            return counts.wrong.set(counts.wrong.get() + 1);
        }
        if counts.counting.get() {
            counts.messages.set(counts.messages.get() + 1);
            counts.latency.borrow_mut().record_ns(sent.elapsed().as_nanos() as u64);
        }
    }
}

/// CPU time of this process, user and system, in µs.
fn process_cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
