//! The event loop: sockets, time and order, and nothing of what is measured.
//!
//! One thread, one epoll, one receive buffer and one send buffer for all connections of the loop. Replies
//! are checked where they lie. An exchange of a message costs a `recv`, a `send` and its share of an
//! `epoll_pwait2`: no socket is read again to hear that it is empty (epoll(7): a short read has said so).

mod clock;
mod connect;
mod connection;
mod limits;
mod poller;
mod source;
mod tcp_info;
mod warm_up;
mod workload;

use std::io;
use std::num::NonZeroU64;
use std::ops::Range;

pub(crate) use clock::{Clock, Schedule, nanoseconds, process_cpu_us};
pub(crate) use connect::Approach;
use connection::{Connection, Step};
pub(crate) use limits::{allow_open_files, connections_allowed, may_own_open_files, own_open_files};
pub(crate) use poller::Waker;
use poller::{Poller, Readiness};
pub(crate) use source::{Sources, allow_ports};
pub(crate) use warm_up::WarmUp;
pub(crate) use workload::{Context, Role, Workload};

use crate::loss::Loss;
use crate::tally::Tally;

const RECEIVE_BYTES: usize = 256 * 1024;

/// One event loop with its share of the connections.
pub(crate) struct EventLoop<W: Workload> {
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
}

impl<W: Workload> EventLoop<W> {
    /// A loop over connections of these states and from these sources, made in the thread that is to run it; `waker`
    /// wakes it.
    ///
    /// # Errors
    /// The system gives no epoll.
    pub(crate) fn new(
        workload: W,
        states: Vec<W::Connection>,
        context: Context,
        sources: Sources,
        waker: Waker,
    ) -> io::Result<Self> {
        // This thread's timers may be 50 µs late otherwise; a failure leaves that.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        Ok(Self {
            poller: Poller::new(waker)?,
            workload,
            connections: states.into_iter().map(Connection::new).collect(),
            context,
            sources,
            received: vec![0; RECEIVE_BYTES].into(),
            received_ns: 0,
            opening: 0,
            open: 0,
            due: Vec::new(),
        })
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
        let ready = self.poller.wait(timeout_ns.saturating_sub(self.context.spin_ns))?;
        self.context.follow_warm_up();
        for index in 0..ready {
            if let Some(ready) = self.poller.event(index) {
                self.handle(ready);
            }
            if self.received_ns >= next_tick_ns {
                self.tick(self.received_ns);
                next_tick_ns = self.workload.next_tick_ns(&self.context);
            }
        }
        Ok(())
    }

    fn tick(&mut self, now_ns: u64) {
        let mut due = std::mem::take(&mut self.due);
        self.workload.tick(now_ns, &mut self.context, &mut due);
        for slot in due.drain(..) {
            self.flush(slot);
        }
        self.due = due;
    }

    fn handle(&mut self, ready: Readiness) {
        if ready.writable {
            self.make_progress(ready.slot);
        }
        if ready.readable {
            self.read(ready);
        }
    }

    /// A socket that can be written may have connected, and takes what was kept.
    fn make_progress(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        if connection.opening.as_ref().is_some_and(|opening| matches!(opening.step, Step::Connecting)) {
            self.connected(slot);
            self.flush(slot);
        } else if connection.socket.is_some() && !connection.may_send() {
            match connection.resume() {
                Ok(()) => self.flush(slot),
                Err(error) => self.lose(slot, error),
            }
        }
    }

    /// Takes what has arrived, and sends what follows from it.
    fn read(&mut self, ready: Readiness) {
        let slot = ready.slot;
        self.context.out.clear();
        loop {
            let length = match self.connections[slot].receive(&mut self.received) {
                Ok(Some(length)) => length,
                Ok(None) => break,
                Err(Loss::Ended) => return self.ended(slot),
                Err(loss) => return self.lose(slot, loss),
            };
            let at_ns = self.context.clock.now_ns();
            self.received_ns = at_ns;
            if let Err(loss) = self.take(slot, length, at_ns) {
                return self.lose(slot, loss);
            }
            if length == self.received.len() {
                // There may be more. The others come first, so that none can hold up the loop.
                self.rearm(slot);
                break;
            }
            if !ready.hung_up {
                break;
            }
        }
        self.flush(slot);
        let connection = &self.connections[slot];
        if self.workload.is_over(&connection.state) {
            connection.end();
        }
    }

    fn take(&mut self, slot: usize, length: usize, at_ns: u64) -> Result<(), Loss> {
        let connection = &mut self.connections[slot];
        let mut bytes = &mut self.received[..length];
        if let Some(Step::Upgrading(upgrade)) = connection.opening.as_mut().map(|opening| &mut opening.step) {
            let Some(frames) = upgrade.receive(bytes)? else { return Ok(()) };
            let (frames_bytes, head_bytes) = (frames.len(), upgrade.head_bytes());
            self.opened(slot, at_ns, head_bytes);
            bytes = &mut self.received[length - frames_bytes..length];
        }
        let connection = &mut self.connections[slot];
        let was_in_its_past = self.workload.is_in_its_past(&connection.state);
        self.workload.receive(&mut connection.state, bytes, at_ns, &mut self.context)?;
        let is_in_its_past = self.workload.is_in_its_past(&connection.state);
        if connection.opening.is_some() && self.workload.is_open(&connection.state) {
            // The head of an answer is not told from what has come with it.
            self.opened(slot, at_ns, usize::MAX);
        } else if was_in_its_past && !is_in_its_past {
            self.context.tally.wire.before += self.flows(slot);
        }
        Ok(())
    }

    /// Sends what is due on a connection.
    fn flush(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        while connection.may_send() {
            self.workload.produce(&mut connection.state, &mut self.context);
            if self.context.out.is_empty() {
                return;
            }
            let sent = connection.send(&self.context.out);
            self.context.out.clear();
            if let Err(error) = sent {
                return self.lose(slot, error);
            }
        }
        // Pongs for one who does not read are dropped: they would pile up.
        self.context.out.clear();
    }

    fn rearm(&mut self, slot: usize) {
        if let Some(socket) = &self.connections[slot].socket
            && let Err(error) = self.poller.rearm(socket, slot)
        {
            self.lose(slot, error);
        }
    }
}
