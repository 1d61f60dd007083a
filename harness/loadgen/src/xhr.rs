use std::net::SocketAddr;

use crate::dialogue::{Dialogue, Topic, scattered};
use crate::engine::{Context, Role, Workload};
use crate::loss::Loss;

/// Closed loop on `GET /xhr?count=N`: each connection has one request outstanding, with an N of its own.
#[derive(Debug)]
pub(crate) struct Xhr {
    topic: Topic,
    /// Requests outstanding on all of this loop's connections.
    outstanding: u64,
}

/// One keep-alive connection.
#[derive(Debug)]
pub(crate) struct Peer {
    dialogue: Dialogue,
    number: u64,
    /// Requests so far.
    sent: u64,
}

impl Xhr {
    /// The connections with these numbers.
    pub(crate) fn new(host: SocketAddr, numbers: impl Iterator<Item = usize>) -> (Self, Vec<Peer>) {
        let topic = Topic::xhr(host);
        let peer = |number| Peer { dialogue: Dialogue::new(&topic), number: number as u64, sent: 0 };
        let peers = numbers.map(peer).collect();
        (Self { topic, outstanding: 0 }, peers)
    }
}

impl Workload for Xhr {
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
        let was_waiting = peer.dialogue.is_waiting();
        let read = peer.dialogue.receive(&self.topic, bytes, at_ns, context);
        self.outstanding -= u64::from(was_waiting && !peer.dialogue.is_waiting());
        read
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        if peer.dialogue.is_waiting() || !context.sending {
            return;
        }
        peer.sent += 1;
        self.outstanding += 1;
        peer.dialogue.ask(&self.topic, scattered(peer.number, peer.sent), false, context);
    }

    fn lost(&mut self, peer: &mut Peer, _was_open: bool) {
        self.outstanding -= u64::from(peer.dialogue.is_waiting());
    }

    fn is_done(&self, context: &Context) -> bool {
        !context.sending && self.outstanding == 0
    }

    fn finish(&mut self, context: &mut Context) {
        context.tally.error("no answer", self.outstanding);
    }
}

#[cfg(test)]
mod tests;
