//! An honest server of the contract, over threads, that can be given one fault at a time: what shows that
//! a check catches what it is there to catch.

mod countdown;
mod fault;
mod frames;
mod http;
mod output;
mod streams;
mod websocket;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use conformance::Target;
use contract::{App, FAREWELL, Limits, Settings};
use socket2::{SockRef, TcpKeepalive};

pub use fault::Fault;

/// What all connections share.
struct Server {
    app: App<String>,
    fault: Fault,
    limits: Limits,
    news: Arc<Bell>,
    echoes: AtomicU64,
    deliveries: AtomicU64,
    dead: AtomicBool,
}

/// Starts a server that runs until the process ends.
pub fn start(fault: Fault) -> Target {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    let target = Target::new(address);
    let settings = Settings {
        host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: address.port(),
        workers: NonZeroUsize::MIN,
        processes: NonZeroUsize::MIN,
        limits: fault.limits(target.limits),
        timing: fault.timing(target.timing),
    };
    let app = App::new("reference", ("std", "1"), &settings, |json| {
        String::from_utf8(json.into()).expect("JSON is UTF-8")
    });
    let news = Arc::new(Bell::default());
    let bell = Arc::clone(&news);
    app.hub().on_publication(move || bell.ring());
    let server = Arc::new(Server {
        app,
        fault,
        limits: settings.limits,
        news,
        echoes: AtomicU64::new(0),
        deliveries: AtomicU64::new(0),
        dead: AtomicBool::new(false),
    });
    thread::spawn(move || accept(&listener, &server));
    target
}

fn accept(listener: &TcpListener, server: &Arc<Server>) {
    for stream in listener.incoming().flatten() {
        let connection = Connection { stream, input: Vec::new() };
        if server.is(Fault::OneAtATime) {
            connection.serve(server);
            continue;
        }
        if server.dead.load(Relaxed) {
            return;
        }
        let server = Arc::clone(server);
        thread::spawn(move || connection.serve(&server));
    }
}

impl Server {
    /// When a subscriber is to be sent the next heartbeat.
    fn next_heartbeat(&self) -> Option<Instant> {
        self.app.timing().heartbeat().map(|period| Instant::now() + period)
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Is this one of a thousand, and not the last?
    fn thousandth(counter: &AtomicU64) -> bool {
        counter.fetch_add(1, Relaxed) % 1000 == 499
    }
}

/// Wakes the threads of all subscribers.
#[derive(Default)]
struct Bell {
    rings: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rings.lock().expect("no panic while counting") += 1;
        self.rung.notify_all();
    }

    fn rings(&self) -> u64 {
        *self.rings.lock().expect("no panic while counting")
    }

    /// Waits for a ring after the first `heard`, and no longer than to `deadline`.
    fn wait(&self, heard: u64, deadline: Option<Instant>) {
        let rings = self.rings.lock().expect("no panic while counting");
        let is_quiet = |rings: &mut u64| *rings == heard;
        match deadline {
            None => drop(self.rung.wait_while(rings, is_quiet)),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                drop(self.rung.wait_timeout_while(rings, left, is_quiet));
            }
        }
    }
}

/// A client's socket, and what was read from it and not used yet.
struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Connection {
    fn serve(mut self, server: &Arc<Server>) {
        // An error is the client's leaving.
        let _ = self.configure(server).and_then(|()| http::serve(&mut self, server));
    }

    fn configure(&self, server: &Server) -> io::Result<()> {
        let timing = server.app.timing();
        let socket = SockRef::from(&self.stream);
        socket.set_tcp_nodelay(true)?;
        if timing.tcp_keepalive_s > 0 {
            let period = Duration::from_secs(timing.tcp_keepalive_s.into());
            socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(period).with_interval(period))?;
        }
        socket.set_tcp_user_timeout(Some(Duration::from_millis(timing.tcp_user_timeout_ms.into())))
    }

    /// Reads more; false at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        let read = self.stream.read(&mut buffer)?;
        self.input.extend_from_slice(&buffer[..read]);
        Ok(read > 0)
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        self.input.drain(..bytes).collect()
    }

    /// Ends the connection so that the client gets what was sent last: input left unread would reset it.
    fn farewell(&mut self) {
        let deadline = Instant::now() + FAREWELL;
        let _ = self.stream.shutdown(Shutdown::Write);
        let _ = self.stream.set_read_timeout(Some(Duration::from_millis(100)));
        while Instant::now() < deadline {
            match self.stream.read(&mut [0; 16 * 1024]) {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }
}
