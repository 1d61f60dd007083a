use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::engine::Waker;

/// What the loops of a broadcast know of each other's publishers and subscribers.
///
/// Sequentially consistent throughout: on the machines in question that costs no more, and nothing has to
/// be argued.
#[derive(Debug)]
pub(crate) struct Shared {
    opened: AtomicU64,
    /// Those of them that are long polls.
    polls: AtomicU64,
    lost: AtomicU64,
    accepted: AtomicU64,
    unfinished: AtomicU64,
    /// For each publisher: the sequence number of its last publication above, its deliveries below.
    progress: Box<[AtomicU64]>,
    wakers: Vec<Waker>,
}

impl Shared {
    pub(crate) fn new(publishers: usize, wakers: Vec<Waker>) -> Self {
        Self {
            opened: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            unfinished: AtomicU64::new(publishers as u64),
            progress: (0..publishers).map(|_| AtomicU64::new(0)).collect(),
            wakers,
        }
    }

    pub(super) fn subscriber_opened(&self, polls: bool) {
        self.polls.fetch_add(u64::from(polls), SeqCst);
        self.opened.fetch_add(1, SeqCst);
    }

    /// A publisher may have waited for this subscriber alone.
    pub(super) fn subscriber_lost(&self) {
        self.lost.fetch_add(1, SeqCst);
        self.wake_all();
    }

    /// Subscribers that are open.
    pub(super) fn live(&self) -> u64 {
        self.opened.load(SeqCst) - self.lost.load(SeqCst)
    }

    /// Of the subscribers that were open at the start, those that are long polls.
    pub(super) fn polls(&self) -> u64 {
        self.polls.load(SeqCst)
    }

    /// Subscribers that were open at the start.
    pub(super) fn opened(&self) -> u64 {
        self.opened.load(SeqCst)
    }

    /// The server has accepted a publication.
    pub(super) fn publication_accepted(&self) {
        self.accepted.fetch_add(1, SeqCst);
    }

    /// Publications that the server has accepted.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(SeqCst)
    }

    /// A publisher sends no more and waits for no answer.
    pub(super) fn publisher_finished(&self) {
        if self.unfinished.fetch_sub(1, SeqCst) == 1 {
            self.wake_all();
        }
    }

    /// Is there no publisher left that sends or waits for an answer?
    pub(super) fn all_published(&self) -> bool {
        self.unfinished.load(SeqCst) == 0
    }

    /// A publisher is about to send this publication and to wait for its deliveries.
    pub(super) fn begin(&self, publisher: u32, sequence: u32) {
        if let Some(progress) = self.progress.get(publisher as usize) {
            progress.store(u64::from(sequence) << 32, SeqCst);
        }
    }

    /// A subscriber of the loop `here` has received this publication. Wakes its publisher if it was the last.
    pub(super) fn delivered(&self, publisher: u32, sequence: u32, here: usize) {
        let Some(progress) = self.progress.get(publisher as usize) else { return };
        if progress.load(SeqCst) >> 32 != u64::from(sequence) {
            return;
        }
        let deliveries = (progress.fetch_add(1, SeqCst) + 1) & u64::from(u32::MAX);
        let home = publisher as usize % self.wakers.len();
        if deliveries >= self.live() && home != here {
            self.wakers[home].wake();
        }
    }

    /// Has every subscriber that is still there received the publisher's last publication? One that was lost
    /// after it had received it lets the publisher go one delivery early.
    pub(super) fn reached_all(&self, publisher: u32) -> bool {
        let progress = self.progress.get(publisher as usize);
        progress.is_none_or(|progress| progress.load(SeqCst) & u64::from(u32::MAX) >= self.live())
    }

    fn wake_all(&self) {
        for waker in &self.wakers {
            waker.wake();
        }
    }
}
