//! An honest server of the contract, over threads, that can be given one fault at a time: what shows that
//! a check catches what it is there to catch.

mod fault;
mod frames;
mod http;
mod output;
mod websocket;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use contract::{App, FAREWELL, Limits, Settings, Timing};

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
pub fn start(fault: Fault, limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    let settings = Settings {
        host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: address.port(),
        workers: NonZeroUsize::MIN,
        processes: NonZeroUsize::MIN,
        limits: fault.limits(limits),
        timing: Timing::default(),
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
    address
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

    /// Waits for a ring after the first `heard`.
    fn wait(&self, heard: u64) {
        let rings = self.rings.lock().expect("no panic while counting");
        drop(self.rung.wait_while(rings, |rings| *rings == heard));
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
        let _ = self.stream.set_nodelay(true).and_then(|()| http::serve(&mut self, server));
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
