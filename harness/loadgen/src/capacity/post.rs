use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::memory::{private_bytes, resident_bytes};
use super::sweep::Sweep;
use crate::RunError;
use crate::engine::{
    Approach, Clock, Context, EventLoop, Schedule, Sources, Waker, allow_open_files, process_cpu_us,
};
use crate::load::Engine;
use crate::spread::{Orders, report};
use crate::tally::Tally;

/// What a process that holds connections is to know of them before there are any.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) target: SocketAddr,
    pub(crate) clock: Clock,
    /// Number of its first connection among all.
    pub(crate) first: u64,
    /// How many it may come to hold.
    pub(crate) room: usize,
}

/// What it is told to do next.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Open so many connections more.
    Open { connections: usize, interval_ns: u64, patience_ns: u64 },
    /// Have one message echoed on each.
    Sweep { outstanding: u64, patience_ns: u64 },
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Report {
    /// What was counted since the last report.
    pub(super) tally: Tally,
    /// Resident memory of this process.
    pub(super) resident_bytes: u64,
    /// Of it, what is no page of a file.
    pub(super) private_bytes: u64,
}

/// The life of a process that holds connections: one event loop, which does what it is told.
///
/// # Errors
/// The connections do not fit under the limit of open files, or the system fails.
pub(crate) fn serve(post: &Post, orders: &Orders) -> Result<(), RunError> {
    allow_open_files(post.room as u64, 1)?;
    let sources = Sources::new(post.target, post.first);
    // A climb measures how fast they open.
    let context = Context { reads_wire: false, ..Context::new(post.target, post.clock) };
    let sweep = Sweep::new(post.first);
    let mut event_loop = EventLoop::new(Engine::Epoll, sweep, Vec::new(), context, sources, Waker::new()?)?;
    // Once, so that it is not moved as it grows; what is not used yet is not resident.
    event_loop.reserve(post.room);
    loop {
        let mut swept_cpu_us = 0.0;
        match orders.next()? {
            Order::Open { connections, interval_ns, patience_ns } => {
                let slots = event_loop.add(connections, Sweep::add);
                let approach = Approach { interval_ns, most: Approach::MOST };
                event_loop.connect(slots, approach, patience_ns)?;
            }
            Order::Sweep { outstanding, patience_ns } => {
                let start_ns = post.clock.now_ns();
                let end_ns = start_ns.saturating_add(patience_ns);
                event_loop.workload().begin(outstanding);
                let cpu_us = process_cpu_us();
                event_loop.drive(Schedule { start_ns, measure_ns: start_ns, end_ns, give_up_ns: end_ns })?;
                swept_cpu_us = process_cpu_us() - cpu_us;
            }
        }
        let unanswered = event_loop.workload().outstanding();
        let mut tally = event_loop.take_tally();
        tally.error(super::NO_REPLY, unanswered);
        tally.cpu_us = swept_cpu_us;
        let own = std::process::id();
        report(&Report {
            tally,
            resident_bytes: resident_bytes(own).unwrap_or(0),
            private_bytes: private_bytes(own).unwrap_or(0),
        })?;
    }
}
