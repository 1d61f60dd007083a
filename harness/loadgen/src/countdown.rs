use crate::dialogue::{Dialogue, Topic};
use crate::engine::{Context, Role, Workload};
use crate::loss::Loss;

/// Closed loop: each client counts from N down to 0, a step at a time, and then again. A countdown that was begun while
/// there was time is finished in the drain.
#[derive(Debug)]
pub(crate) struct Countdown {
    topic: Topic,
    from: u64,
    /// Countdowns that are begun and not finished, on all of this loop's connections.
    under_way: u64,
}

/// One client.
#[derive(Debug)]
pub(crate) struct Peer {
    dialogue: Dialogue,
    /// The next count to ask about; 0: the countdown has none left.
    next: u64,
    /// When the countdown under way asked first.
    begun_ns: u64,
}

impl Peer {
    fn is_under_way(&self) -> bool {
        self.next > 0 || self.dialogue.is_waiting()
    }
}

impl Countdown {
    /// So many clients that count down `from`, which is above 0.
    pub(crate) fn new(topic: Topic, from: u64, clients: usize) -> (Self, Vec<Peer>) {
        let peer = || Peer { dialogue: Dialogue::new(&topic), next: 0, begun_ns: 0 };
        let peers = (0..clients).map(|_| peer()).collect();
        (Self { topic, from, under_way: 0 }, peers)
    }
}

impl Workload for Countdown {
    type Connection = Peer;

    fn role(&self, _peer: &Peer) -> Role {
        self.topic.role()
    }

    fn opened(&mut self, _peer: &mut Peer) {}

    fn receive(
        &mut self,
        peer: &mut Peer,
        bytes: &mut [u8],
        at_ns: u64,
        context: &mut Context,
    ) -> Result<(), Loss> {
        let was_under_way = peer.is_under_way();
        let read = peer.dialogue.receive(&self.topic, bytes, at_ns, context);
        if was_under_way && !peer.is_under_way() {
            self.under_way -= 1;
            if context.schedule.counts(peer.begun_ns) {
                context.tally.total.record_ns(at_ns - peer.begun_ns);
            }
        }
        read
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        if peer.dialogue.is_waiting() {
            return;
        }
        let begins = peer.next == 0;
        if begins {
            if !context.sending {
                return;
            }
            self.under_way += 1;
            peer.next = self.from;
        }
        let sent_ns = peer.dialogue.ask(&self.topic, peer.next, false, context);
        peer.next -= 1;
        if begins {
            peer.begun_ns = sent_ns;
        }
    }

    fn lost(&mut self, peer: &mut Peer, _was_open: bool) {
        self.under_way -= u64::from(peer.is_under_way());
    }

    fn is_done(&self, context: &Context) -> bool {
        !context.sending && self.under_way == 0
    }

    fn finish(&mut self, context: &mut Context) {
        context.tally.error("a countdown that was not finished in time", self.under_way);
    }
}

#[cfg(test)]
mod tests;
