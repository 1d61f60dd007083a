use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Schedule;

/// A loop that waits for the end of the warm-up wakes up this often to hear of it.
pub(super) const LISTEN_NS: u64 = 10_000_000;
/// The end is agreed on this long before it comes, so that every loop has heard of it by then.
const NOTICE_NS: u64 = 2 * LISTEN_NS;

/// A warm-up that ends when the load is steady: what the loops of a load share of it.
///
/// The loops say how many replies they have; who watches these agrees on the moment at which counting begins.
#[derive(Debug)]
pub(crate) struct WarmUp {
    /// What it lasts at least.
    pub(crate) least_ns: u64,
    replies: AtomicU64,
    /// [`OPEN`](Self::OPEN) until it is agreed on.
    measure_ns: AtomicU64,
}

impl WarmUp {
    const OPEN: u64 = u64::MAX;

    pub(crate) fn new(least_ns: u64) -> Self {
        Self { least_ns, replies: AtomicU64::new(0), measure_ns: AtomicU64::new(Self::OPEN) }
    }

    /// Adds the replies of a batch; `Some` once it is known when counting begins.
    pub(super) fn note(&self, replies: u64) -> Option<u64> {
        self.replies.fetch_add(replies, Relaxed);
        Some(self.measure_ns.load(Relaxed)).filter(|&measure_ns| measure_ns != Self::OPEN)
    }

    /// Replies so far.
    pub(crate) fn replies(&self) -> u64 {
        self.replies.load(Relaxed)
    }

    /// Ends it as soon as all loops can know, and at the latest when `latest` says: what comes of the schedule.
    pub(crate) fn end(&self, now_ns: u64, latest: Schedule) -> Schedule {
        let measure_ns = (now_ns + NOTICE_NS).min(latest.measure_ns);
        self.measure_ns.store(measure_ns, Relaxed);
        latest.measured_from(measure_ns)
    }
}
