use framing::Opcode;

use crate::engine::{Context, Role, Workload};
use crate::load::Kind;
use crate::loss::Loss;
use crate::payload::{Check, Template, Verdict};
use crate::websocket::{Client, write_frame};
use crate::wrong;

/// Length of a sweep's messages.
const PAYLOAD_BYTES: usize = 64;

/// One message on each connection of `WS /ws/echo`, a bounded number of them outstanding, and then the next sweep.
#[derive(Debug)]
pub(super) struct Sweep {
    template: Template,
    /// Number of the first connection among all.
    first: u64,
    /// Number of the sweep, from 1.
    number: u32,
    /// Connections whose turn in this sweep has come: those of the slots below.
    released: u32,
    /// Connections that there are.
    connections: u32,
    outstanding: u64,
    max_outstanding: u64,
}

/// One connection: as little as can be, since there are to be a million.
#[derive(Debug)]
pub(super) struct Peer {
    client: Client,
    sent_ns: u64,
    check: Check,
    slot: u32,
    /// Sweep of the last message that was sent, and of the last that was answered.
    sent: u32,
    answered: u32,
}

impl Sweep {
    /// Without connections; the first is to be number `first` among all.
    pub(super) fn new(first: u64) -> Self {
        Self {
            first,
            template: Template::new(PAYLOAD_BYTES, Kind::Text),
            number: 0,
            released: 0,
            connections: 0,
            outstanding: 0,
            max_outstanding: 0,
        }
    }

    /// Makes room for another connection.
    pub(super) fn add(&mut self) -> Peer {
        let slot = self.connections;
        self.connections += 1;
        let (client, check) = (Client::new(), Check::default());
        Peer { client, sent_ns: 0, check, slot, sent: self.number, answered: self.number }
    }

    /// Begins another sweep.
    pub(super) fn begin(&mut self, max_outstanding: u64) {
        self.number += 1;
        self.released = 0;
        self.max_outstanding = max_outstanding.max(1);
    }

    /// Messages that have not been answered.
    pub(super) fn outstanding(&self) -> u64 {
        self.outstanding
    }

    /// What the last message of a connection says: no other of the run says the same.
    fn stamp(&self, peer: &Peer) -> u64 {
        (self.first + u64::from(peer.slot)) << 32 | u64::from(peer.sent)
    }

    fn reply(&mut self, peer: &mut Peer, opcode: Opcode, at_ns: u64, context: &mut Context) {
        let verdict = std::mem::take(&mut peer.check).verdict(&self.template, self.stamp(peer));
        if peer.answered == peer.sent {
            return context.tally.error("a message that answers none", 1);
        }
        peer.answered = peer.sent;
        self.outstanding -= 1;
        if opcode == Opcode::Text && verdict == Verdict::Right {
            context.tally.messages += 1;
            context.tally.latency.record_ns(at_ns - peer.sent_ns);
        } else {
            context.tally.error(wrong::OTHER_REPLY, 1);
        }
    }
}

impl Workload for Sweep {
    type Connection = Peer;

    fn role(&self, _peer: &Peer) -> Role {
        Role::WebSocket("/ws/echo")
    }

    fn opened(&mut self, _peer: &mut Peer) {}

    fn receive(
        &mut self,
        peer: &mut Peer,
        mut bytes: &mut [u8],
        at_ns: u64,
        context: &mut Context,
    ) -> Result<(), Loss> {
        while let Some(chunk) = peer.client.next(&mut bytes, &mut context.random, &mut context.out)? {
            peer.check.piece(&self.template, chunk.payload).map_err(|_| Loss::TooLong)?;
            if chunk.last {
                self.reply(peer, chunk.opcode, at_ns, context);
            }
        }
        Ok(())
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        if context.sending && peer.slot < self.released && peer.sent < self.number {
            peer.sent = self.number;
            let mut digits = [0; _];
            let parts = self.template.parts(self.stamp(peer), &mut digits);
            write_frame(Opcode::Text, parts, &mut context.random, &mut context.out);
            peer.sent_ns = context.clock.now_ns();
            self.outstanding += 1;
            context.tally.sent += 1;
        }
    }

    fn tick(&mut self, _now_ns: u64, context: &mut Context, due: &mut Vec<usize>) {
        // Of those released here some may be lost: their turn passes, and others follow at the next tick.
        let room = self.max_outstanding.saturating_sub(self.outstanding) as u32;
        if context.sending {
            let first = self.released;
            self.released = first.saturating_add(room).min(self.connections);
            due.extend(first as usize..self.released as usize);
        }
    }

    fn next_tick_ns(&self, context: &Context) -> u64 {
        let waits_for_none = self.outstanding == 0 && self.released < self.connections;
        if context.sending && waits_for_none { 0 } else { u64::MAX }
    }

    fn lost(&mut self, peer: &mut Peer, _was_open: bool) {
        self.outstanding -= u64::from(peer.answered != peer.sent);
        peer.answered = peer.sent;
    }

    fn is_done(&self, context: &Context) -> bool {
        self.outstanding == 0 && (self.released == self.connections || !context.sending)
    }

    fn finish(&mut self, _context: &mut Context) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Clock, Schedule};

    fn context() -> Context {
        let mut context = Context::new(([127, 0, 0, 1], 9001).into(), Clock::start());
        context.schedule = Schedule { start_ns: 0, measure_ns: 0, end_ns: u64::MAX, give_up_ns: u64::MAX };
        context.sending = true;
        context
    }

    /// Has the connections send whose turn it is; their frames, unmasked, are what a server sends back.
    fn tick(sweep: &mut Sweep, peers: &mut [Peer], context: &mut Context) -> Vec<(usize, Vec<u8>)> {
        let mut due = Vec::new();
        sweep.tick(0, context, &mut due);
        let mut echoes = Vec::new();
        for slot in due {
            sweep.produce(&mut peers[slot], context);
            let mut frame = std::mem::take(&mut context.out);
            let key = [frame[2], frame[3], frame[4], frame[5]];
            framing::apply_mask(&mut frame[6..], key, 0);
            frame[1] &= 0x7f;
            frame.drain(2..6);
            echoes.push((slot, frame));
        }
        echoes
    }

    #[test]
    fn each_connection_has_one_turn_a_sweep_and_no_more_are_out_than_may_be() {
        let (mut sweep, mut context) = (Sweep::new(100), context());
        let mut peers: Vec<_> = (0..7).map(|_| sweep.add()).collect();
        for round in 1..=2 {
            sweep.begin(3);
            let mut turns = Vec::new();
            while !sweep.is_done(&context) {
                let echoes = tick(&mut sweep, &mut peers, &mut context);
                assert!(sweep.outstanding() <= 3);
                for (slot, mut frame) in echoes {
                    turns.push(slot);
                    let at_ns = context.clock.now_ns();
                    sweep.receive(&mut peers[slot], &mut frame, at_ns, &mut context).expect("a right reply");
                }
            }
            assert_eq!(turns, [0, 1, 2, 3, 4, 5, 6]);
            assert_eq!((context.tally.messages, context.tally.sent), (7 * round, 7 * round));
        }
        assert_eq!(context.tally.errors.len(), 0);
    }

    #[test]
    fn the_reply_of_another_connection_or_sweep_and_one_too_many_are_wrong() {
        let (mut sweep, mut context) = (Sweep::new(0), context());
        let mut peers: Vec<_> = (0..2).map(|_| sweep.add()).collect();
        sweep.begin(2);
        let echoes = tick(&mut sweep, &mut peers, &mut context);
        let [(_, first), (_, second)] = echoes.as_slice() else { panic!("two turns") };
        for (slot, frame) in [(0, second), (1, second), (1, second)] {
            let at_ns = context.clock.now_ns();
            sweep.receive(&mut peers[slot], &mut frame.clone(), at_ns, &mut context).expect("a frame");
        }
        assert_eq!(context.tally.errors["a reply that differs from what was sent"], 1);
        assert_eq!(context.tally.errors["a message that answers none"], 1);
        assert_eq!(context.tally.messages, 1);
        assert!(sweep.is_done(&context));

        sweep.begin(2);
        tick(&mut sweep, &mut peers, &mut context);
        let at_ns = context.clock.now_ns();
        sweep.receive(&mut peers[0], &mut first.clone(), at_ns, &mut context).expect("a frame");
        assert_eq!(context.tally.errors["a reply that differs from what was sent"], 2);
        sweep.lost(&mut peers[1], true);
        assert_eq!(sweep.outstanding(), 0);
    }
}
