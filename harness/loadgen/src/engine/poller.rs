use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::time::Timespec;

/// Events taken from the kernel at a time.
const BATCH: usize = 1024;
/// No connection has this number.
const WAKE: u64 = u64::MAX;

/// Waits for sockets, edge-triggered: each is registered once, for both directions, and costs no system
/// call when a send has to wait.
pub(crate) struct Poller {
    epoll: OwnedFd,
    events: Vec<Event>,
    /// Held for as long as it is registered.
    _waker: Waker,
}

/// Wakes one loop from another thread.
#[derive(Debug, Clone)]
pub(crate) struct Waker(Arc<OwnedFd>);

/// What a socket is ready for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readiness {
    /// Number of the connection.
    pub(crate) slot: usize,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The other side has ended or reset: read on until that shows.
    pub(crate) hung_up: bool,
}

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Makes the loop's [`Poller::wait`] return.
    pub(crate) fn wake(&self) {
        // It fails only when 2^64 - 2 wakes have not been read: then the loop is awake.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }
}

impl Poller {
    pub(crate) fn new(waker: Waker) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        // Edge-triggered, each write to it is an event of its own: it need not be read.
        epoll::add(&epoll, &waker.0, EventData::new_u64(WAKE), EventFlags::IN | EventFlags::ET)?;
        Ok(Self { epoll, events: Vec::with_capacity(BATCH), _waker: waker })
    }

    /// Registers a socket; closing it ends that.
    pub(crate) fn add(&self, socket: impl AsFd, slot: usize) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(slot as u64), Self::interest())?)
    }

    /// Registers a socket to hear of once, when it can be written.
    pub(crate) fn add_until_writable(&self, socket: impl AsFd, slot: usize) -> io::Result<()> {
        let interest = EventFlags::OUT | EventFlags::ONESHOT;
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(slot as u64), interest)?)
    }

    /// Ends what [`add`](Self::add) began.
    pub(crate) fn remove(&self, socket: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, socket)?)
    }

    /// Has a socket reported again if it is still ready: for one that was not read empty.
    pub(crate) fn rearm(&self, socket: impl AsFd, slot: usize) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, socket, EventData::new_u64(slot as u64), Self::interest())?)
    }

    /// Waits until a socket is ready, the loop is woken or the time is up: how many events there are.
    pub(crate) fn wait(&mut self, timeout_ns: u64) -> io::Result<usize> {
        let timeout = Timespec {
            tv_sec: (timeout_ns / 1_000_000_000) as i64,
            tv_nsec: (timeout_ns % 1_000_000_000) as i64,
        };
        self.events.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(self.events.len()),
            Err(error) => Err(error.into()),
        }
    }

    /// One of the events of the last [`wait`](Self::wait); `None` if it is a wake.
    pub(crate) fn event(&self, index: usize) -> Option<Readiness> {
        // The event is packed: its fields are copied out.
        let Event { flags: ready, data } = self.events[index];
        let number = data.u64();
        let any = |flags| ready.intersects(flags);
        (number != WAKE).then(|| Readiness {
            slot: number as usize,
            readable: any(EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR),
            writable: any(EventFlags::OUT | EventFlags::HUP | EventFlags::ERR),
            hung_up: any(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR),
        })
    }

    fn interest() -> EventFlags {
        EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET
    }
}

/// For a [`Ring`](super::ring::Ring) that watches it.
impl AsRawFd for Poller {
    fn as_raw_fd(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wake_ends_one_wait() {
        let waker = Waker::new().expect("an eventfd");
        let mut poller = Poller::new(waker.clone()).expect("an epoll");
        for _ in 0..3 {
            waker.wake();
            assert_eq!(poller.wait(60_000_000_000).expect("a wait"), 1);
            assert!(poller.event(0).is_none());
            assert_eq!(poller.wait(0).expect("a wait"), 0);
        }
    }
}
