use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::epoll::EventFlags;
use rustix::io::{self, Errno, retry_on_intr};
use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use crate::CeilingApp;
use crate::output::{Output, Unsent};
use crate::session::Session;

/// What a socket may report. Edge-triggered, so that it is told once and never asked for again.
pub(crate) const INTEREST: EventFlags =
    EventFlags::IN.union(EventFlags::OUT).union(EventFlags::RDHUP).union(EventFlags::ET);

/// What all connections of a loop use, one after the other.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) app: CeilingApp,
    pub(crate) input: Box<[u8]>,
    pub(crate) output: Output,
}

/// What is to be done with a connection after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It waits for the next event.
    Wait,
    /// There is more to read: another turn, after the others have had theirs.
    Again,
    /// It is over.
    Drop,
}

/// A socket, and what is said on it.
///
/// While the socket does not take what was said, nothing is read from it: a client that does not read is
/// not heard, and what it can make us hold is bounded.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    session: Session,
    unsent: Unsent,
    /// Something may have come that has not been read.
    readable: bool,
    /// The client will send no more: what has come is to be read to its end.
    hung_up: bool,
    /// The last word has been sent.
    shut_down: bool,
}

impl Connection {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            session: Session::new(),
            unsent: Unsent::default(),
            readable: false,
            hung_up: false,
            shut_down: false,
        }
    }

    pub(crate) fn is_subscribed(&self) -> bool {
        self.session.is_subscribed()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.session.is_done()
    }

    /// When the poll ends that waits here, if one does.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.session.deadline()
    }

    /// Serves what an event tells of.
    pub(crate) fn on_event(&mut self, flags: EventFlags, desk: &mut Desk) -> After {
        if flags.intersects(EventFlags::ERR | EventFlags::HUP) {
            return After::Drop;
        }
        self.hung_up |= flags.contains(EventFlags::RDHUP);
        self.readable |= flags.intersects(EventFlags::IN | EventFlags::RDHUP);
        self.turn(desk)
    }

    /// At most one read, and what it takes to answer it.
    pub(crate) fn turn(&mut self, desk: &mut Desk) -> After {
        self.try_turn(desk).unwrap_or(After::Drop)
    }

    /// Sends a subscriber what has been published.
    pub(crate) fn deliver(&mut self, desk: &mut Desk) -> After {
        match self.try_deliver(desk) {
            Ok(()) => After::Wait,
            Err(_) => After::Drop,
        }
    }

    /// Ends a poll whose time is over.
    pub(crate) fn give_up_poll(&mut self, desk: &mut Desk, now: Instant) -> After {
        self.session.give_up_poll(now, &desk.app, &mut desk.output);
        self.send(desk)
    }

    /// Sends a subscriber something, unless there is something under way already.
    pub(crate) fn heartbeat(&mut self, desk: &mut Desk) -> After {
        if self.unsent.is_empty() {
            self.session.heartbeat(&mut desk.output);
        }
        self.send(desk)
    }

    fn send(&mut self, desk: &mut Desk) -> After {
        match self.unsent.send(&self.socket, &mut desk.output) {
            Ok(()) => self.deliver(desk),
            Err(_) => After::Drop,
        }
    }

    fn try_turn(&mut self, desk: &mut Desk) -> io::Result<After> {
        if !self.unsent.is_empty() {
            self.unsent.flush(&self.socket)?;
        }
        if self.readable && self.unsent.is_empty() {
            match retry_on_intr(|| recv(&self.socket, &mut *desk.input, RecvFlags::empty())) {
                Ok((_, 0)) => return Ok(After::Drop),
                Ok((_, bytes)) => {
                    // A short read has emptied the socket: what comes later is another event.
                    self.readable = bytes == desk.input.len() || self.hung_up;
                    self.session.on_bytes(&mut desk.input[..bytes], &desk.app, &mut desk.output);
                    self.unsent.send(&self.socket, &mut desk.output)?;
                }
                Err(Errno::AGAIN) => self.readable = false,
                Err(error) => return Err(error),
            }
        }
        self.try_deliver(desk)?;
        Ok(if self.readable && self.unsent.is_empty() { After::Again } else { After::Wait })
    }

    fn try_deliver(&mut self, desk: &mut Desk) -> io::Result<()> {
        let Desk { app, output, .. } = desk;
        while self.session.is_subscribed() && self.unsent.is_empty() {
            self.session.deliver(app, output);
            if output.is_empty() {
                return Ok(());
            }
            self.unsent.send(&self.socket, output)?;
        }
        if !self.unsent.is_empty()
            && let Err(lagged) = self.session.check_lag()
        {
            self.session.refuse(&lagged.into(), output);
            self.unsent.cut_short(output);
        }
        if self.unsent.is_empty() {
            self.session.on_sent();
        }
        if self.session.is_done() && self.unsent.is_empty() && !self.shut_down {
            // What has been sent still arrives; a socket closed with bytes unread would take it back.
            shutdown(&self.socket, Shutdown::Write)?;
            self.shut_down = true;
        }
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests;
