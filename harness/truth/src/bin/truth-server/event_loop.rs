use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hint::black_box;
use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketFlags, accept_with, recv};
use rustix::time::Timespec;
use truth::{Delay, Given};

use crate::connection::{Connection, Reply};

/// No connection has this number.
const LISTENER: u64 = u64::MAX;
/// The last part of a wait, which is spent looking at the clock: longer than the kernel takes to wake a thread.
const SPIN: Duration = Duration::from_micros(200);
/// How long it sleeps at most: SIGTERM may come just before it falls asleep.
const NAP: Duration = Duration::from_millis(100);
const STALLS_EVERY: Duration = Duration::from_secs(1);
/// So a load that begins by then and lasts whole seconds sees each stall to its end.
const FIRST_STALL: Duration = Duration::from_millis(500);

/// A reply that waits; the first due is the greatest of a heap. Those due at once leave in the order of their messages.
type Waiting = Reverse<(Instant, u64, Letter)>;

/// A reply, who gets it, and when its message had been read.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Letter {
    to: u64,
    read_at: Instant,
    reply: Reply,
}

/// All connections, and what is to be sent when.
pub(crate) struct EventLoop {
    epoll: OwnedFd,
    listener: TcpListener,
    connections: HashMap<u64, Client>,
    accepted: u64,
    waiting: BinaryHeap<Waiting>,
    messages: u64,
    random: fastrand::Rng,
    stall: Duration,
    stalls_at: Option<Instant>,
    burn: Duration,
    clock: Duration,
    given: Given,
    input: Vec<u8>,
}

struct Client {
    connection: Connection,
    /// When its latest reply is due: none overtakes it.
    due: Instant,
}

impl EventLoop {
    /// `stall`: how long everything stands still once a second; `burn`: how long each message keeps the core busy.
    pub(crate) fn new(
        listener: TcpListener,
        (delay, seed): (Delay, u64),
        stall: Duration,
        burn: Duration,
    ) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        Ok(Self {
            epoll,
            listener,
            connections: HashMap::new(),
            accepted: 0,
            waiting: BinaryHeap::new(),
            messages: 0,
            random: fastrand::Rng::with_seed(seed),
            stall,
            stalls_at: (!stall.is_zero()).then(|| Instant::now() + FIRST_STALL),
            burn,
            clock: reading_of_clock(),
            given: Given::new(delay),
            input: vec![0; 64 * 1024],
        })
    }

    /// Serves until it is told to end: what it gave.
    pub(crate) fn run(mut self, ended: &AtomicBool) -> io::Result<Given> {
        let mut events = Vec::with_capacity(256);
        while !ended.load(Relaxed) {
            events.clear();
            let patience = Timespec::try_from(self.patience()).ok();
            match epoll::wait(&self.epoll, spare_capacity(&mut events), patience.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for &Event { data, .. } in &events {
                match data.u64() {
                    LISTENER => self.accept()?,
                    number => self.hear(number),
                }
                self.send_due();
            }
            self.send_due();
            self.stall_if_due();
        }
        Ok(self.given)
    }

    fn patience(&self) -> Duration {
        let reply = self.waiting.peek().map(|Reverse((due, ..))| *due - SPIN);
        let next = [reply, self.stalls_at].into_iter().flatten().min();
        next.map_or(NAP, |next| next.saturating_duration_since(Instant::now()).min(NAP))
    }

    fn accept(&mut self) -> io::Result<()> {
        let socket = match accept_with(&self.listener, SocketFlags::CLOEXEC) {
            Ok(socket) => TcpStream::from(socket),
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let number = self.accepted;
        self.accepted += 1;
        epoll::add(&self.epoll, &socket, EventData::new_u64(number), EventFlags::IN)?;
        self.connections.insert(number, Client { connection: Connection::new(socket), due: Instant::now() });
        Ok(())
    }

    fn hear(&mut self, number: u64) {
        let Some(client) = self.connections.get_mut(&number) else { return };
        let replies = match recv(&client.connection.socket, &mut *self.input, RecvFlags::DONTWAIT) {
            Ok((_, length)) if length > 0 => client.connection.hear(&mut self.input[..length]),
            Err(Errno::AGAIN | Errno::INTR) => return,
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) => Err(error.into()),
        };
        let Ok(replies) = replies else {
            // Closing its socket ends its registration; replies that wait for it are forgotten when they are due.
            self.connections.remove(&number);
            return;
        };
        let read_at = Instant::now();
        for reply in replies {
            if !self.burn.is_zero() {
                self.given.add_burnt(burn(self.burn) + self.clock);
            }
            client.due = client.due.max(read_at + self.given.delay.draw(&mut self.random));
            self.waiting.push(Reverse((client.due, self.messages, Letter { to: number, read_at, reply })));
            self.messages += 1;
        }
    }

    fn send_due(&mut self) {
        while self.waiting.peek().is_some_and(|Reverse((due, ..))| *due <= Instant::now()) {
            let Some(Reverse((.., Letter { to, read_at, reply }))) = self.waiting.pop() else { return };
            let Some(client) = self.connections.get_mut(&to) else { continue };
            let delay = read_at.elapsed();
            match client.connection.socket.write_all(&reply) {
                Ok(()) => self.given.add_reply(delay),
                Err(_) => drop(self.connections.remove(&to)),
            }
        }
    }

    fn stall_if_due(&mut self) {
        let Some(stalls_at) = self.stalls_at.filter(|stalls_at| *stalls_at <= Instant::now()) else { return };
        let began = Instant::now();
        sleep(self.stall);
        self.given.add_stall(began.elapsed());
        self.stalls_at = Some(stalls_at + STALLS_EVERY);
    }
}

/// How long one reading of the clock takes. Half of a busy loop's first and half of its last lie outside of the time between them, and
/// are burnt as well.
fn reading_of_clock() -> Duration {
    const READINGS: u32 = 1_000;
    let reading = || {
        let began = Instant::now();
        (0..READINGS).for_each(|_| {
            black_box(Instant::now());
        });
        began.elapsed() / READINGS
    };
    // The least: without interruptions.
    (0..10).map(|_| reading()).min().unwrap_or_default()
}

/// Keeps the core busy: for how long it did. Beyond twice as long, the core was taken away meanwhile.
fn burn(least: Duration) -> Duration {
    let began = Instant::now();
    loop {
        let burnt = began.elapsed();
        if burnt >= least {
            return burnt.min(2 * least);
        }
    }
}
