use crate::dialogue::{Dialogue, Topic, scattered};
use crate::engine::{Context, Role, Workload};
use crate::loss::Loss;

/// Closed loop of visits: a connection is opened, has some questions answered and is closed, and another takes its place. Or
/// a storm: each is kept, and goes on asking.
#[derive(Debug)]
pub(crate) struct Connect {
    topic: Topic,
    /// Questions of a visit; `None`: a storm.
    questions: Option<u32>,
    /// Questions that are out, on all of this loop's connections.
    outstanding: u64,
    /// Connections that the server has been asked to end.
    leaving: u64,
}

/// One place, which connections take one after the other.
#[derive(Debug)]
pub(crate) struct Peer {
    dialogue: Dialogue,
    number: u64,
    /// Questions of the connection that is there now.
    asked: u32,
    /// Questions of those before.
    asked_before: u64,
}

impl Connect {
    /// The places with these numbers.
    pub(crate) fn new(
        topic: Topic,
        questions: Option<u32>,
        numbers: impl Iterator<Item = usize>,
    ) -> (Self, Vec<Peer>) {
        let peer = |number| Peer {
            dialogue: Dialogue::new(&topic),
            number: number as u64,
            asked: 0,
            asked_before: 0,
        };
        let peers = numbers.map(peer).collect();
        (Self { topic, questions, outstanding: 0, leaving: 0 }, peers)
    }
}

impl Workload for Connect {
    type Connection = Peer;

    fn role(&self, _peer: &Peer) -> Role {
        self.topic.role()
    }

    fn reopens(&self) -> bool {
        self.questions.is_some()
    }

    fn opened(&mut self, _peer: &mut Peer) {}

    fn receive(
        &mut self,
        peer: &mut Peer,
        bytes: &mut [u8],
        at_ns: u64,
        context: &mut Context,
    ) -> Result<(), Loss> {
        let was_waiting = peer.dialogue.is_waiting();
        let read = peer.dialogue.receive(&self.topic, bytes, at_ns, context);
        self.outstanding -= u64::from(was_waiting && !peer.dialogue.is_waiting());
        read
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        // A visit that has begun is brought to its end in the drain.
        let may_ask = if self.reopens() { context.schedule.has_begun() } else { context.sending };
        if !may_ask || peer.dialogue.is_waiting() || peer.dialogue.is_leaving() {
            return;
        }
        if self.questions == Some(peer.asked) {
            self.leaving += 1;
            return peer.dialogue.leave(context);
        }
        peer.asked = peer.asked.wrapping_add(1);
        self.outstanding += 1;
        let is_last = self.questions == Some(peer.asked);
        let count = scattered(peer.number, peer.asked_before + u64::from(peer.asked));
        peer.dialogue.ask(&self.topic, count, is_last, context);
        self.leaving += u64::from(peer.dialogue.is_leaving());
    }

    fn is_over(&self, peer: &Peer) -> bool {
        peer.dialogue.is_over()
    }

    fn renew(&mut self, peer: &mut Peer) {
        self.leaving -= 1;
        peer.asked_before += u64::from(peer.asked);
        peer.asked = 0;
        peer.dialogue = Dialogue::new(&self.topic);
    }

    fn lost(&mut self, peer: &mut Peer, _was_open: bool) {
        self.outstanding -= u64::from(peer.dialogue.is_waiting());
        self.leaving -= u64::from(peer.dialogue.is_leaving());
    }

    fn is_done(&self, context: &Context) -> bool {
        !self.reopens() && !context.sending && self.outstanding == 0
    }

    fn finish(&mut self, context: &mut Context) {
        context.tally.error("no answer", self.outstanding);
        context.tally.error("a connection that the server did not end", self.leaving);
    }
}

#[cfg(test)]
mod tests;
