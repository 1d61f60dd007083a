use framing::Opcode;

use crate::engine::{Context, Role, Workload};
use crate::load::Kind;
use crate::loss::Loss;
use crate::payload::{Check, Template, Verdict};
use crate::websocket::{Client, write_frame};

/// Bits of a stamp that number the messages of a connection; those above number the connection.
const SEQUENCE_BITS: u32 = 40;

/// Closed loop on `WS /ws/echo`: each connection keeps so many messages outstanding, and each reply must be
/// the next of them, byte for byte.
#[derive(Debug)]
pub(crate) struct Echo {
    template: Template,
    opcode: Opcode,
    /// Messages outstanding on a connection.
    pipeline: u64,
    /// Messages outstanding on all of this loop's.
    outstanding: u64,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Peer {
    client: Client,
    number: u64,
    sent: u64,
    answered: u64,
    check: Check,
    sent_at: SendTimes,
}

/// When the outstanding messages were sent: the message with sequence number `n` in place `n` modulo length.
#[derive(Debug)]
enum SendTimes {
    One(u64),
    Ring(Box<[u64]>),
}

impl Peer {
    /// Connection `number` of all, with `pipeline` messages outstanding.
    pub(crate) fn new(number: u64, pipeline: usize) -> Self {
        let sent_at =
            if pipeline == 1 { SendTimes::One(0) } else { SendTimes::Ring(vec![0; pipeline].into()) };
        Self { client: Client::new(), number, sent: 0, answered: 0, check: Check::default(), sent_at }
    }

    fn stamp(&self, sequence: u64) -> u64 {
        self.number << SEQUENCE_BITS | sequence
    }

    fn outstanding(&self) -> u64 {
        self.sent - self.answered
    }
}

impl SendTimes {
    fn place(&mut self, sequence: u64) -> &mut u64 {
        match self {
            Self::One(time) => time,
            Self::Ring(times) => {
                let length = times.len() as u64;
                &mut times[(sequence % length) as usize]
            }
        }
    }
}

impl Echo {
    pub(crate) fn new(payload_bytes: usize, kind: Kind, pipeline: usize) -> Self {
        Self {
            template: Template::new(payload_bytes, kind),
            opcode: match kind {
                Kind::Text => Opcode::Text,
                Kind::Binary => Opcode::Binary,
            },
            pipeline: pipeline as u64,
            outstanding: 0,
        }
    }

    /// A message is complete: it answers the oldest outstanding one, or it is wrong.
    fn reply(&mut self, peer: &mut Peer, opcode: Opcode, at_ns: u64, context: &mut Context) {
        let check = std::mem::take(&mut peer.check);
        if peer.outstanding() == 0 {
            return context.tally.error("a message that answers none", 1);
        }
        let sequence = peer.answered;
        peer.answered += 1;
        self.outstanding -= 1;
        let wrong = match check.verdict(&self.template, peer.stamp(sequence)) {
            _ if opcode != self.opcode => "a reply of the wrong kind",
            Verdict::Right => {
                if context.schedule.counts(at_ns) {
                    context.tally.messages += 1;
                    context.tally.latency.record_ns(at_ns - *peer.sent_at.place(sequence));
                }
                return;
            }
            Verdict::Stamp(other) if other >> SEQUENCE_BITS == peer.number => "a reply out of order",
            Verdict::Stamp(_) => "a reply to another connection",
            Verdict::Differs => "a reply that differs from what was sent",
        };
        context.tally.error(wrong, 1);
    }
}

impl Workload for Echo {
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
        let first = peer.sent;
        while context.sending && peer.outstanding() < self.pipeline && context.out.len() < Context::OUT_BYTES
        {
            let mut digits = [0; _];
            let parts = self.template.parts(peer.stamp(peer.sent), &mut digits);
            write_frame(self.opcode, parts, &mut context.random, &mut context.out);
            peer.sent += 1;
        }
        if peer.sent > first {
            let now_ns = context.clock.now_ns();
            for sequence in first..peer.sent {
                *peer.sent_at.place(sequence) = now_ns;
            }
            self.outstanding += peer.sent - first;
            if context.schedule.counts(now_ns) {
                context.tally.sent += peer.sent - first;
            }
        }
    }

    fn lost(&mut self, peer: &mut Peer, _was_open: bool) {
        self.outstanding -= peer.outstanding();
        peer.answered = peer.sent;
    }

    fn is_done(&self, context: &Context) -> bool {
        !context.sending && self.outstanding == 0
    }

    fn finish(&mut self, context: &mut Context) {
        context.tally.error("no reply", self.outstanding);
    }
}

#[cfg(test)]
mod tests;
