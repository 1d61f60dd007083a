use std::net::SocketAddr;
use std::sync::Arc;

use fastrand::Rng;

use super::warm_up::LISTEN_NS;
use super::{Clock, Schedule, WarmUp};
use crate::loss::Loss;
use crate::tally::Tally;

/// What the connections of one loop do once they are open. It sees bytes, never a socket, so that it can be
/// tested with any bytes that a server might send.
pub(crate) trait Workload {
    /// State of one connection: there may be ten thousand, so it is small.
    type Connection;

    /// How a connection begins.
    fn role(&self, connection: &Self::Connection) -> Role;

    /// Is a connection with [`Role::Answered`] open? It is asked after each [`receive`](Self::receive) until it is.
    fn is_open(&self, _connection: &Self::Connection) -> bool {
        true
    }

    /// A connection is open.
    fn opened(&mut self, connection: &mut Self::Connection);

    /// Takes what a connection received, at `at_ns`. What must be answered at once, such as a ping, is
    /// appended to `context.out`.
    ///
    /// # Errors
    /// What makes the connection useless.
    fn receive(
        &mut self,
        connection: &mut Self::Connection,
        bytes: &mut [u8],
        at_ns: u64,
        context: &mut Context,
    ) -> Result<(), Loss>;

    /// Appends what is due on a connection to `context.out`, all of which is then sent with one call; it is
    /// called again until nothing is due. Send times are read after the messages are built.
    fn produce(&mut self, connection: &mut Self::Connection, context: &mut Context);

    /// After each batch of events, and when [`next_tick_ns`](Self::next_tick_ns) has come: notes in `due`
    /// the connections that have something to send of which no event tells.
    fn tick(&mut self, _now_ns: u64, _context: &mut Context, _due: &mut Vec<usize>) {}

    /// When `tick` is wanted without an event; `u64::MAX` if never.
    fn next_tick_ns(&self, _context: &Context) -> u64 {
        u64::MAX
    }

    /// Do others take the place of connections that have ended as they should? The times of opening then count in the
    /// measured time alone.
    fn reopens(&self) -> bool {
        false
    }

    /// Is what goes over an open connection still something else than what the load is about?
    fn is_in_its_past(&self, _connection: &Self::Connection) -> bool {
        false
    }

    /// Has all been said on a connection, by both sides? Its end is then no loss.
    fn is_over(&self, _connection: &Self::Connection) -> bool {
        false
    }

    /// A connection that was over has ended: makes its state ready for the one that takes its place.
    fn renew(&mut self, _connection: &mut Self::Connection) {}

    /// Connections that are still [in their past](Self::is_in_its_past): the load begins when there are none.
    fn unprepared(&self) -> u64 {
        0
    }

    /// A connection did not open, or `was_open` and is lost.
    fn lost(&mut self, connection: &mut Self::Connection, was_open: bool);

    /// Is nothing left to wait for, now that nothing new is sent?
    fn is_done(&self, context: &Context) -> bool;

    /// The end: counts what never came.
    fn finish(&mut self, context: &mut Context);
}

/// How a connection begins, and how it is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    /// A WebSocket on this path, counted in [`crate::Connections`].
    WebSocket(&'static str),
    /// A plain connection, to be counted there too.
    Http,
    /// A plain connection, counted there as well, that is open when what was [produced](Workload::produce) first has been
    /// answered: the workload [says so](Workload::is_open).
    Answered,
    /// A plain connection that the load needs beside those; what fails is an error under this name.
    Helper(&'static str),
}

impl Role {
    pub(crate) fn is_counted(&self) -> bool {
        !matches!(self, Self::Helper(_))
    }
}

/// What every workload needs of its loop.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) target: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) schedule: Schedule,
    /// May what is no part of the load, the connections' past, be sent? From when all are open.
    pub(crate) preparing: bool,
    /// May new messages be sent? Between the start and the end of the schedule.
    pub(crate) sending: bool,
    /// While it is open when counting begins; the schedule then has the latest moment.
    pub(crate) warm_up: Option<Arc<WarmUp>>,
    /// Replies that the warm-up has not been told of.
    pub(crate) untold: u64,
    /// For how long before the next tick nothing sleeps.
    pub(crate) spin_ns: u64,
    pub(crate) tally: Tally,
    /// Is what goes over the connections read, when each is open and at its end?
    pub(crate) reads_wire: bool,
    /// What the connection at hand is about to send: one buffer for all of the loop.
    pub(crate) out: Vec<u8>,
    pub(crate) random: Rng,
}

impl Context {
    /// So many bytes are put together before they are sent.
    pub(crate) const OUT_BYTES: usize = 256 * 1024;

    pub(crate) fn new(target: SocketAddr, clock: Clock) -> Self {
        Self {
            target,
            clock,
            schedule: Schedule::UNKNOWN,
            preparing: false,
            sending: false,
            warm_up: None,
            untold: 0,
            spin_ns: 0,
            tally: Tally::default(),
            reads_wire: true,
            out: Vec::new(),
            random: Rng::new(),
        }
    }

    /// A right reply or delivery has arrived: counts it if that was in the measured time.
    pub(crate) fn arrived(&mut self, at_ns: u64, latency_ns: u64) {
        self.tally.wire.messages += 1;
        if self.schedule.counts(at_ns) {
            self.tally.messages += 1;
            self.tally.series.record(at_ns - self.schedule.measure_ns, latency_ns);
        } else {
            self.untold += 1;
        }
    }

    /// Tells the warm-up of the last batch's replies, and hears from it when counting begins.
    pub(super) fn follow_warm_up(&mut self) {
        let Some(warm_up) = &self.warm_up else { return };
        if let Some(measure_ns) = warm_up.note(std::mem::take(&mut self.untold)) {
            self.schedule = self.schedule.measured_from(measure_ns);
            self.warm_up = None;
        }
    }

    /// How long it may sleep without hearing from the warm-up.
    pub(super) fn listens_ns(&self) -> u64 {
        if self.warm_up.is_some() { LISTEN_NS } else { u64::MAX }
    }
}
