//! The event loop: sockets, time and order, and nothing of what is measured.
//!
//! One thread, one epoll, one receive buffer and one send buffer for all connections of the loop. Replies
//! are checked where they lie. An exchange of a message costs a `recv`, a `send` and its share of an
//! `epoll_pwait2`: no socket is read again to hear that it is empty (epoll(7): a short read has said so).
//!
//! With a `ring` connections go over to it once they are open, and an exchange costs its share of an `io_uring_enter`.

mod clock;
mod connect;
mod connection;
mod exchange;
mod limits;
mod on_ring;
mod poller;
mod ring;
mod source;
mod tcp_info;
mod warm_up;
mod workload;

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU64;
use std::ops::Range;

pub(crate) use clock::{Clock, Schedule, nanoseconds, process_cpu_us};
pub(crate) use connect::Approach;
use connection::Connection;
pub(crate) use limits::{allow_open_files, connections_allowed, may_own_open_files, own_open_files};
use poller::Poller;
pub(crate) use poller::Waker;
use ring::Ring;
pub(crate) use source::{Sources, allow_ports};
pub(crate) use warm_up::WarmUp;
pub(crate) use workload::{Context, Role, Workload};

use crate::load::Engine;
use crate::loss::Loss;
use crate::tally::Tally;

const RECEIVE_BYTES: usize = 256 * 1024;

/// Tries whether a ring is to be had, and works.
///
/// # Errors
/// Why it is not.
pub(crate) fn try_ring() -> io::Result<()> {
    let poller = Poller::new(Waker::new()?)?;
    Ring::new(&poller)?.wait(0).map(drop)
}

/// One event loop with its share of the connections.
pub(crate) struct EventLoop<W: Workload> {
    /// Dropped before the poller, which it watches.
    ring: Option<Ring>,
    poller: Poller,
    workload: W,
    connections: Vec<Connection<W::Connection>>,
    context: Context,
    /// Where connections come from.
    sources: Sources,
    received: Box<[u8]>,
    /// When something was received last.
    received_ns: u64,
    /// Connections that are on their way.
    opening: usize,
    /// Connections that are open.
    open: usize,
    /// Kept for its capacity.
    due: Vec<usize>,
    /// Connections that have gone over to the ring.
    lives: u32,
    /// Of them, those to which nothing can be sent any more, though something may have arrived.
    unsendable: BTreeMap<usize, io::Error>,
    /// What the system failed at while nobody could be told.
    failure: Option<io::Error>,
}

impl<W: Workload> EventLoop<W> {
    /// A loop over connections of these states and from these sources, made in the thread that is to run it; `waker`
    /// wakes it.
    ///
    /// # Errors
    /// The system gives no epoll, or no ring though the engine asks for one.
    pub(crate) fn new(
        engine: Engine,
        workload: W,
        states: Vec<W::Connection>,
        context: Context,
        sources: Sources,
        waker: Waker,
    ) -> io::Result<Self> {
        // This thread's timers may be 50 µs late otherwise; a failure leaves that.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        let poller = Poller::new(waker)?;
        Ok(Self {
            ring: (engine == Engine::IoUring).then(|| Ring::new(&poller)).transpose()?,
            poller,
            workload,
            connections: states.into_iter().map(Connection::new).collect(),
            context,
            sources,
            received: vec![0; RECEIVE_BYTES].into(),
            received_ns: 0,
            opening: 0,
            open: 0,
            due: Vec::new(),
            lives: 0,
            unsendable: BTreeMap::new(),
            failure: None,
        })
    }

    /// Has the open connections go through their past, which may take `most_ns`, and `patience_ns` in which nothing is received.
    /// One that is not through with it by then is an error, and goes on with it in the load.
    ///
    /// # Errors
    /// The system fails to wait for events.
    pub(crate) fn prepare(&mut self, most_ns: u64, patience_ns: u64) -> io::Result<()> {
        if self.workload.unprepared() == 0 {
            return Ok(());
        }
        self.context.preparing = true;
        for slot in 0..self.connections.len() {
            self.flush(slot);
        }
        let begun_ns = self.context.clock.now_ns();
        while self.workload.unprepared() > 0 {
            let now_ns = self.context.clock.now_ns();
            let silent_until_ns = self.received_ns.max(begun_ns).saturating_add(patience_ns);
            let left_ns = begun_ns.saturating_add(most_ns).min(silent_until_ns).saturating_sub(now_ns);
            if left_ns == 0 {
                break;
            }
            self.turn(left_ns, u64::MAX)?;
        }
        self.context.tally.error("a connection whose past took too long", self.workload.unprepared());
        Ok(())
    }

    /// Drives the load from start to drain.
    ///
    /// # Errors
    /// The system fails to wait for events.
    pub(crate) fn drive(&mut self, schedule: Schedule) -> io::Result<()> {
        self.context.schedule = schedule;
        self.context.sending = true;
        for slot in 0..self.connections.len() {
            self.flush(slot);
        }
        loop {
            let now_ns = self.context.clock.now_ns();
            let schedule = self.context.schedule;
            self.context.sending = now_ns < schedule.end_ns;
            self.tick(now_ns);
            let none_left = self.open == 0 && self.opening == 0;
            if none_left || self.workload.is_done(&self.context) || now_ns >= schedule.give_up_ns {
                return Ok(());
            }
            let phase_ends_ns = if self.context.sending { schedule.end_ns } else { schedule.give_up_ns };
            let next_tick_ns = self.workload.next_tick_ns(&self.context);
            let sleep_ns = phase_ends_ns.min(next_tick_ns).saturating_sub(now_ns);
            self.turn(sleep_ns.min(self.context.listens_ns()), next_tick_ns)?;
        }
    }

    /// Adds so many connections, whose states the workload makes: their slots.
    pub(crate) fn add(
        &mut self,
        connections: usize,
        mut make: impl FnMut(&mut W) -> W::Connection,
    ) -> Range<usize> {
        let first = self.connections.len();
        let workload = &mut self.workload;
        self.connections.extend((0..connections).map(|_| Connection::new(make(workload))));
        first..self.connections.len()
    }

    /// Makes room for so many connections more.
    pub(crate) fn reserve(&mut self, connections: usize) {
        self.connections.reserve_exact(connections);
    }

    /// The workload.
    pub(crate) fn workload(&mut self) -> &mut W {
        &mut self.workload
    }

    /// What was counted since this was asked last.
    pub(crate) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.context.tally)
    }

    /// What was counted.
    pub(crate) fn finish(mut self) -> Tally {
        for slot in 0..self.connections.len() {
            if self.connections[slot].opening.is_some() {
                self.lose(slot, Loss::TimedOut);
            }
            self.read_whole(slot);
        }
        self.workload.finish(&mut self.context);
        self.context.tally
    }

    /// Waits for a batch of events and handles them. A tick that is due meanwhile does not wait for its end: what
    /// is sent by the clock would be late by as long as the batch takes.
    fn turn(&mut self, timeout_ns: u64, mut next_tick_ns: u64) -> io::Result<()> {
        let timeout_ns = timeout_ns.saturating_sub(self.context.spin_ns);
        let (ready, arrived) = match &mut self.ring {
            None => (self.poller.wait(timeout_ns)?, 0),
            Some(_) => self.wait_on_ring(timeout_ns)?,
        };
        self.context.follow_warm_up();
        for index in 0..ready + arrived {
            if index >= ready {
                self.take_from_ring();
            } else if let Some(ready) = self.poller.event(index) {
                self.handle(ready);
            }
            if self.received_ns >= next_tick_ns {
                self.tick(self.received_ns);
                next_tick_ns = self.workload.next_tick_ns(&self.context);
            }
        }
        self.failure.take().map_or(Ok(()), Err)
    }

    fn tick(&mut self, now_ns: u64) {
        let mut due = std::mem::take(&mut self.due);
        self.workload.tick(now_ns, &mut self.context, &mut due);
        for slot in due.drain(..) {
            self.flush(slot);
        }
        self.due = due;
    }
}
