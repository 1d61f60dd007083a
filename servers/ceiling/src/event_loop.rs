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
        }
    }

    /// How long to wait for events; `None`: for ever.
    fn patience(&self) -> Option<Timespec> {
        let patience = if !self.more.is_empty() || !self.team.bell(self.member).fall_asleep() {
            Duration::ZERO
        } else {
            self.leaving.front()?.0.saturating_duration_since(Instant::now())
        };
        // Whatever is left is at most FAREWELL.
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
        let client = Client { connection, is_subscriber: false, has_more: false, is_leaving: false };
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

    /// Puts a client into the list it belongs in after a turn, unless it is there.
    fn settle(&mut self, token: Token, after: After) {
        if after == After::Drop {
            return self.drop_client(token);
        }
        let Some(client) = self.clients.get_mut(token) else { return };
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
        let mut subscribers = mem::take(&mut self.subscribers);
        subscribers.retain(|&token| {
            let Some(client) = self.clients.get_mut(token) else { return false };
            let after = client.connection.deliver(&mut self.desk.output);
            let stays = client.connection.is_subscribed();
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
