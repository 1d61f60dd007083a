use std::num::NonZeroU64;

use super::Peer;
use crate::engine::Context;

/// Closed loop: a message is due as soon as its connection has fewer than so many outstanding.
#[derive(Debug)]
pub(super) struct Closed {
    pipeline: u64,
    /// Messages of each connection.
    quota: u64,
    /// Connections that have not sent them all.
    active: usize,
    /// When the outstanding messages were sent: that of slot `s` with sequence number `n` is in place
    /// `s` × pipeline + `n` modulo pipeline.
    sent_ns: Box<[u64]>,
}

impl Closed {
    pub(super) fn new(pipeline: usize, messages: Option<NonZeroU64>, connections: usize) -> Self {
        Self {
            pipeline: pipeline as u64,
            quota: messages.map_or(u64::MAX, NonZeroU64::get),
            active: connections,
            sent_ns: vec![0; connections.saturating_mul(pipeline)].into(),
        }
    }

    pub(super) fn is_due(&self, peer: &Peer, context: &Context) -> bool {
        context.sending && peer.outstanding() < self.pipeline && !self.is_over(peer)
    }

    /// The messages of a connection from sequence number `first` on are about to be sent.
    pub(super) fn sent(&mut self, peer: &Peer, first: u64, context: &mut Context) {
        self.active -= usize::from(self.is_over(peer));
        let now_ns = context.clock.now_ns();
        for sequence in first..peer.sent {
            self.sent_ns[self.place(peer.slot, sequence)] = now_ns;
        }
        if context.schedule.counts(now_ns) {
            context.tally.sent += peer.sent - first;
        }
    }

    /// When the oldest outstanding message was sent.
    pub(super) fn sent_ns(&self, peer: &Peer) -> u64 {
        self.sent_ns[self.place(peer.slot, peer.answered)]
    }

    /// The connection sends no more.
    pub(super) fn end(&mut self, peer: &Peer) {
        self.active -= usize::from(!self.is_over(peer));
    }

    /// Has every connection sent all its messages?
    pub(super) fn is_done(&self) -> bool {
        self.active == 0
    }

    /// Has the connection sent all its messages?
    fn is_over(&self, peer: &Peer) -> bool {
        peer.sent.saturating_sub(peer.past) >= self.quota
    }

    fn place(&self, slot: usize, sequence: u64) -> usize {
        // A division takes longer than all of this, and most pipelines are 1.
        let within = if self.pipeline == 1 { 0 } else { sequence % self.pipeline };
        slot * self.pipeline as usize + within as usize
    }
}
