use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::mem;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::FAREWELL;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{SocketFlags, accept_with};
use rustix::time::Timespec;

use crate::CeilingApp;
use crate::connection::{After, Connection, Desk, INTEREST};
use crate::output::Output;
use crate::slab::{Slab, Token};
use crate::team::Team;
use crate::timers::Timers;

/// What one read takes at most: one buffer serves all connections of a loop.
const INPUT_BYTES: usize = 256 * 1024;

/// Events that one call reports at most.
const EVENTS: usize = 256;

/// Reported for what is no connection; no token comes to have these bits.
const LISTENER: u64 = u64::MAX;
const BELL: u64 = u64::MAX - 1;

/// A connection, and in which of the loop's lists it is.
#[derive(Debug)]
struct Client {
    connection: Connection,
    is_subscriber: bool,
    has_more: bool,
    is_leaving: bool,
    /// One of the loop's timers is for this one: perhaps for an earlier poll.
    has_timer: bool,
}

/// One thread's connections, and whose turn it is.
#[derive(Debug)]
pub(crate) struct EventLoop {
    epoll: OwnedFd,
    listener: TcpListener,
    /// There was no file left for a connection that waits.
    starved: bool,
    team: Arc<Team>,
    /// Its own number in the team.
    member: usize,
    clients: Slab<Client>,
    /// Some of them may be gone.
    subscribers: Vec<Token>,
    /// Those that had their turn and have more to read.
    more: Vec<Token>,
    /// Those that have been told why they are closed, and until when they may read it.
    leaving: VecDeque<(Instant, Token)>,
    timers: Timers,
    desk: Desk,
}

impl EventLoop {
    /// `member` is its number in `team`. All share one listener: the kernel wakes one for each connection.
    pub(crate) fn new(
        member: usize,
        team: Arc<Team>,
        listener: TcpListener,
        app: CeilingApp,
    ) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let listening = EventFlags::IN | EventFlags::ET | EventFlags::EXCLUSIVE;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), listening)?;
        let bell = team.bell(member);
        epoll::add(&epoll, bell, EventData::new_u64(BELL), EventFlags::IN | EventFlags::ET)?;
        Ok(Self {
            epoll,
            listener,
            starved: false,
            team,
            member,
            clients: Slab::new(),
            subscribers: Vec::new(),
            more: Vec::new(),
            leaving: VecDeque::new(),
            timers: Timers::new(app.timing().heartbeat()),
            desk: Desk { app, input: vec![0; INPUT_BYTES].into(), output: Output::default() },
        })
    }

    /// Serves until it cannot.
    pub(crate) fn run(mut self) -> io::Result<Infallible> {
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            events.clear();
            let patience = self.patience();
            retry_on_intr(|| epoll::wait(&self.epoll, spare_capacity(&mut events), patience.as_ref()))?;
            self.hear_bell();
            for &Event { flags, data } in &events {
                self.on_event(data.u64(), flags);
            }
            for token in mem::take(&mut self.more) {
                if let Some(client) = self.clients.get_mut(token) {
                    client.has_more = false;
                    self.turn(token, Connection::turn);
                }
            }
            // What was published in this round goes out in this round.
            self.hear_bell();
            self.see_off();
            self.on_time();
        }
    }

    /// How long to wait for events; `None`: for ever.
    fn patience(&self) -> Option<Timespec> {
        let patience = if !self.more.is_empty() || !self.team.bell(self.member).fall_asleep() {
            Duration::ZERO
        } else {
            let leaving = self.leaving.front().map(|(until, _)| *until);
            let next = leaving.into_iter().chain(self.timers.next()).min()?;
            next.saturating_duration_since(Instant::now())
        };
        Timespec::try_from(patience).ok()
    }

    fn on_event(&mut self, data: u64, flags: EventFlags) {
        match data {
            LISTENER => self.accept(),
            // It has been looked at already.
            BELL => {}
            token => self.turn(Token::from_u64(token), |connection, desk| connection.on_event(flags, desk)),
        }
    }

    fn accept(&mut self) {
        self.starved = false;
        loop {
            match accept_with(&self.listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok(socket) => match self.team.whose_turn() {
                    mine if mine == self.member => self.admit(socket),
                    other => self.team.hand_over(other, socket),
                },
                Err(Errno::CONNABORTED | Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // Out of files or of memory: the next connection to close, or to come, makes another try.
                Err(_) => {
                    self.starved = true;
                    return;
                }
            }
        }
    }

    fn admit(&mut self, socket: OwnedFd) {
        let connection = Connection::new(socket);
        let client =
            Client { connection, is_subscriber: false, has_more: false, is_leaving: false, has_timer: false };
        let token = self.clients.insert(client);
        let Some(client) = self.clients.get_mut(token) else { return };
        let data = EventData::new_u64(token.to_u64());
        if epoll::add(&self.epoll, &client.connection, data, INTEREST).is_err() {
            self.drop_client(token);
        }
    }

    fn turn(&mut self, token: Token, serve: impl FnOnce(&mut Connection, &mut Desk) -> After) {
        let Some(client) = self.clients.get_mut(token) else { return };
        let after = serve(&mut client.connection, &mut self.desk);
        if client.connection.is_subscribed() && !mem::replace(&mut client.is_subscriber, true) {
            self.list_subscriber(token);
        }
        self.settle(token, after);
    }

    /// Ends the polls that have waited long enough, and sends the heartbeats that are due.
    fn on_time(&mut self) {
        if self.timers.next().is_none() {
            return;
        }
        let now = Instant::now();
        while let Some(token) = self.timers.due_poll(now) {
            if let Some(client) = self.clients.get_mut(token) {
                client.has_timer = false;
            }
            self.turn(token, |connection, desk| connection.give_up_poll(desk, now));
        }
        if self.timers.is_heartbeat_due(now, !self.subscribers.is_empty()) {
            self.for_each_subscriber(Connection::heartbeat);
        }
    }

    /// Puts a client into the list it belongs in after a turn, unless it is there.
    fn settle(&mut self, token: Token, after: After) {
        if after == After::Drop {
            return self.drop_client(token);
        }
        let Some(client) = self.clients.get_mut(token) else { return };
        if let Some(deadline) = client.connection.deadline()
            && !mem::replace(&mut client.has_timer, true)
        {
            self.timers.add_poll(deadline, token);
        }
        if after == After::Again && !mem::replace(&mut client.has_more, true) {
            self.more.push(token);
        }
        if client.connection.is_done() && !mem::replace(&mut client.is_leaving, true) {
            self.leaving.push_back((Instant::now() + FAREWELL, token));
        }
    }

    fn drop_client(&mut self, token: Token) {
        self.clients.remove(token);
        if self.starved {
            self.accept();
        }
    }

    fn list_subscriber(&mut self, token: Token) {
        // The list grows only if all of it is needed.
        if self.subscribers.len() == self.subscribers.capacity() {
            let clients = &mut self.clients;
            self.subscribers.retain(|token| clients.get_mut(*token).is_some());
        }
        self.subscribers.push(token);
        self.timers.expect_heartbeat();
    }

    /// If the bell has rung: admits who was handed over, and sends to each subscriber of this loop what it
    /// has not been sent.
    fn hear_bell(&mut self) {
        if !self.team.bell(self.member).take_news() {
            return;
        }
        for socket in self.team.take_sockets(self.member) {
            self.admit(socket);
        }
        self.for_each_subscriber(Connection::deliver);
    }

    /// Serves each subscriber, and forgets those that are none any more.
    fn for_each_subscriber(&mut self, serve: impl Fn(&mut Connection, &mut Desk) -> After) {
        let mut subscribers = mem::take(&mut self.subscribers);
        subscribers.retain(|&token| {
            let Some(client) = self.clients.get_mut(token) else { return false };
            let after = serve(&mut client.connection, &mut self.desk);
            let stays = client.connection.is_subscribed();
            client.is_subscriber = stays;
            self.settle(token, after);
            stays
        });
        self.subscribers = subscribers;
    }

    /// Drops those that had time enough to read the last word.
    fn see_off(&mut self) {
        while let Some((until, token)) = self.leaving.front().copied()
            && until <= Instant::now()
        {
            self.leaving.pop_front();
            self.drop_client(token);
        }
    }
}
