use std::io;
use std::ops::Range;

use super::connection::Step;
use super::tcp_info::flows;
use super::{Context, EventLoop, Role, Workload};
use crate::http::Upgrade;
use crate::loss::Loss;
use crate::wire::Flows;

/// How the connections of one loop are begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Approach {
    /// From the beginning of one to the beginning of the next; 0: as fast as they open.
    pub(crate) interval_ns: u64,
    /// How many may be on their way at a time.
    pub(crate) most: usize,
}

impl Approach {
    /// Far below any backlog of a listener.
    pub(crate) const MOST: usize = 256;

    /// The interval of each of so many loops that begin `ramp` connections a second together.
    pub(crate) fn interval_ns(ramp: u32, loops: u64) -> u64 {
        (loops * 1_000_000_000).checked_div(u64::from(ramp)).unwrap_or(0)
    }
}

/// How connections begin and end.
impl<W: Workload> EventLoop<W> {
    /// Opens the connections of these slots: how many were opened and are counted. What takes longer than
    /// `patience_ns`, beyond the time that the approach itself takes, is given up.
    ///
    /// # Errors
    /// The system fails to wait for events.
    pub(crate) fn connect(
        &mut self,
        mut slots: Range<usize>,
        approach: Approach,
        patience_ns: u64,
    ) -> io::Result<u64> {
        let first = slots.start;
        let asked = &self.connections[slots.clone()];
        let roles = asked.iter().map(|connection| self.workload.role(&connection.state));
        self.context.tally.connections.asked += roles.filter(Role::is_counted).count() as u64;
        let established_before = self.context.tally.connections.established;
        let begin_ns = self.context.clock.now_ns();
        let due_ns = |slot: usize| {
            begin_ns.saturating_add(((slot - first) as u64).saturating_mul(approach.interval_ns))
        };
        let deadline_ns = due_ns(slots.end).saturating_add(patience_ns);
        loop {
            let now_ns = self.context.clock.now_ns();
            if now_ns >= deadline_ns {
                break;
            }
            while self.opening < approach.most && !slots.is_empty() && due_ns(slots.start) <= now_ns {
                self.begin(slots.start);
                slots.start += 1;
            }
            if self.opening == 0 && slots.is_empty() {
                break;
            }
            // A full house waits for an event, and so does one that has begun them all.
            let waits_for_ramp = self.opening < approach.most && !slots.is_empty();
            let until_ns = if waits_for_ramp { due_ns(slots.start).min(deadline_ns) } else { deadline_ns };
            self.turn(until_ns.saturating_sub(now_ns), u64::MAX)?;
        }
        let late =
            (first..slots.start).filter(|&slot| self.connections[slot].opening.is_some()).collect::<Vec<_>>();
        for slot in late.into_iter().chain(slots) {
            self.lose(slot, Loss::TimedOut);
        }
        Ok(self.context.tally.connections.established - established_before)
    }

    fn begin(&mut self, slot: usize) {
        self.opening += 1;
        let now_ns = self.context.clock.now_ns();
        let begun = self.connections[slot].begin(self.context.target, &self.sources, now_ns);
        if let Err(error) = begun.and_then(|socket| self.poller.add(socket, slot)) {
            self.lose(slot, error);
        }
    }

    /// TCP has connected, or failed to: asks for what the connection is to be, if that has to be asked for.
    pub(super) fn connected(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        let (Some(socket), Some(opening)) = (&connection.socket, &mut connection.opening) else { return };
        if let Ok(Some(error)) | Err(error) = socket.take_error() {
            return self.lose(slot, error);
        }
        self.context.out.clear();
        match self.workload.role(&connection.state) {
            Role::WebSocket(path) => {
                let Context { target, random, out, .. } = &mut self.context;
                opening.step = Step::Upgrading(Upgrade::request(*target, path, random, out));
            }
            Role::Answered => {
                opening.step = Step::Asking;
                self.workload.produce(&mut connection.state, &mut self.context);
            }
            Role::Http | Role::Helper(_) => {
                let now_ns = self.context.clock.now_ns();
                return self.opened(slot, now_ns, 0);
            }
        }
        if let Err(error) = connection.send(&self.context.out) {
            self.lose(slot, error);
        }
        self.context.out.clear();
    }

    /// The connection is open, of whose bytes so many were the answer to the upgrade.
    pub(super) fn opened(&mut self, slot: usize, at_ns: u64, head_bytes: usize) {
        let connection = &mut self.connections[slot];
        let Some(opening) = connection.opening.take() else { return };
        self.opening -= 1;
        self.open += 1;
        if self.workload.role(&connection.state).is_counted() {
            self.context.tally.connections.established += 1;
            let Context { schedule, tally, .. } = &mut self.context;
            if !schedule.has_begun() {
                tally.opened_before(opening.began_ns, at_ns);
            }
            if !self.workload.reopens() || schedule.counts(at_ns) {
                tally.connect.record_ns(at_ns - opening.began_ns);
            }
        }
        self.workload.opened(&mut connection.state);
        let in_its_past = self.workload.is_in_its_past(&connection.state);
        let mut opening = self.flows(slot);
        // More may have come already.
        opening.to_client.bytes = opening.to_client.bytes.min(head_bytes as u64);
        let wire = &mut self.context.tally.wire;
        wire.opening += opening;
        if !in_its_past {
            wire.before += opening;
        }
        self.go_over(slot);
    }

    /// What has gone over a connection so far, if that is asked for.
    pub(super) fn flows(&self, slot: usize) -> Flows {
        let connection = &self.connections[slot];
        let is_counted = self.context.reads_wire && self.workload.role(&connection.state).is_counted();
        connection.socket.as_ref().filter(|_| is_counted).map(flows).unwrap_or_default()
    }

    /// An open connection is at its end.
    pub(super) fn read_whole(&mut self, slot: usize) {
        self.context.tally.wire.whole += self.flows(slot);
    }

    /// The server has ended the connection: another takes its place, while there is load, or it is lost.
    pub(super) fn ended(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        if !self.workload.is_over(&connection.state) {
            return self.lose(slot, Loss::Ended);
        }
        self.workload.renew(&mut connection.state);
        self.context.out.clear();
        let mut whole = self.flows(slot);
        // The server's FIN has a sequence number, so the kernel counts it as a byte.
        whole.to_client.bytes = whole.to_client.bytes.saturating_sub(1);
        self.context.tally.wire.whole += whole;
        self.leave_ring(slot);
        self.connections[slot].socket = None;
        self.open -= 1;
        if self.workload.reopens() && self.context.sending {
            self.context.tally.connections.asked += 1;
            self.begin(slot);
        }
    }

    /// The connection did not open, or is of no more use.
    pub(super) fn lose(&mut self, slot: usize, loss: impl Into<Loss>) {
        let loss = loss.into();
        // What was meant for this connection must not go to the next.
        self.context.out.clear();
        if self.connections[slot].opening.is_none() {
            self.read_whole(slot);
        }
        self.leave_ring(slot);
        let connection = &mut self.connections[slot];
        let began = connection.socket.take().is_some();
        let was_opening = connection.opening.take().is_some();
        let was_open = began && !was_opening;
        self.opening -= usize::from(was_opening);
        self.open -= usize::from(was_open);
        let tally = &mut self.context.tally;
        match self.workload.role(&connection.state) {
            Role::Helper(name) => tally.error(format!("{name}: {loss}"), 1),
            _ if was_open => {
                tally.connections.lost += 1;
                tally.error(loss.to_string(), 1);
            }
            _ => tally.failed(loss.to_string()),
        }
        self.workload.lost(&mut connection.state, was_open);
    }
}
