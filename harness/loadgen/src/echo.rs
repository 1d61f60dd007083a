mod closed;
mod open;
mod past;

use std::num::NonZeroU64;

use closed::Closed;
use framing::Opcode;
use open::{Open, Sent};
use past::Past;

use crate::engine::{Context, Role, Workload};
use crate::load::{Arrivals, Kind};
use crate::loss::Loss;
use crate::payload::{Check, Template, Verdict};
use crate::timetable::Timetable;
use crate::websocket::{Client, write_frame};
use crate::wrong;

/// Bits of a stamp that number the messages of a connection; those above number the connection.
const SEQUENCE_BITS: u32 = 40;

/// Messages on `WS /ws/echo`: each reply must be that to the oldest one outstanding, byte for byte.
#[derive(Debug)]
pub(crate) struct Echo {
    template: Template,
    past: Past,
    opcode: Opcode,
    pace: Pace,
    /// Messages outstanding on all of this loop's connections.
    outstanding: u64,
    /// Its connections that are in their past.
    in_their_past: u64,
}

/// When messages are due.
#[derive(Debug)]
enum Pace {
    Closed(Closed),
    Open(Open),
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Peer {
    client: Client,
    /// Its number among those of its loop.
    slot: usize,
    /// Its number among all.
    number: u64,
    /// How many of its messages, the first, are of its past.
    past: u64,
    sent: u64,
    answered: u64,
    check: Check,
}

impl Peer {
    fn stamp(&self, sequence: u64) -> u64 {
        self.number << SEQUENCE_BITS | sequence
    }

    fn outstanding(&self) -> u64 {
        self.sent - self.answered
    }

    /// Is the oldest message that has no answer, or else the next one, of its past?
    fn is_in_its_past(&self) -> bool {
        self.answered < self.past
    }
}

impl Echo {
    /// The connections with these numbers, of `of_connections`: in open loop if `arrivals` have a rate,
    /// otherwise with `pipeline` messages outstanding on each, until each has sent `messages`, if that is given.
    /// Before these each connection has some of up to `stagger_bytes` echoed.
    pub(crate) fn new(
        payload_bytes: usize,
        kind: Kind,
        stagger_bytes: usize,
        (pipeline, messages): (usize, Option<NonZeroU64>),
        arrivals: &Arrivals,
        numbers: impl Iterator<Item = usize> + Clone,
        of_connections: usize,
    ) -> (Self, Vec<Peer>) {
        let past = Past::new(stagger_bytes, kind);
        let peer = |(slot, number)| {
            let (number, past) = (number as u64, past.draw());
            Peer { client: Client::new(), slot, number, past, sent: 0, answered: 0, check: Check::default() }
        };
        let peers: Vec<_> = numbers.clone().enumerate().map(peer).collect();
        let timetable = |number| Timetable::new(arrivals, number as u64, of_connections as u64);
        let pace = match arrivals.rate {
            None => Pace::Closed(Closed::new(pipeline, messages, peers.len())),
            Some(_) => Pace::Open(Open::new(numbers.map_while(timetable))),
        };
        let opcode = match kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        };
        let in_their_past = peers.iter().filter(|peer| peer.is_in_its_past()).count() as u64;
        let template = Template::new(payload_bytes, kind);
        (Self { template, past, opcode, pace, outstanding: 0, in_their_past }, peers)
    }

    /// What the message of a connection with this sequence number is made from.
    fn template(&self, peer: &Peer, sequence: u64) -> &Template {
        if sequence < peer.past { &self.past.template } else { &self.template }
    }

    /// A message is complete: it answers the oldest outstanding one, or it is wrong.
    fn reply(&mut self, peer: &mut Peer, opcode: Opcode, at_ns: u64, context: &mut Context) {
        let check = std::mem::take(&mut peer.check);
        if peer.outstanding() == 0 {
            return context.tally.error("a message that answers none", 1);
        }
        let expected = peer.stamp(peer.answered);
        let wrong = match check.verdict(self.template(peer, peer.answered), expected) {
            _ if opcode != self.opcode => Some(wrong::OTHER_KIND),
            Verdict::Right => None,
            Verdict::Stamp(other) if other >> SEQUENCE_BITS == peer.number => Some(wrong::OTHER_ORDER),
            Verdict::Stamp(_) => Some(wrong::OTHER_CONNECTION),
            Verdict::Differs => Some(wrong::OTHER_REPLY),
        };
        if !peer.is_in_its_past() {
            self.count(peer, wrong.is_none(), at_ns, context);
        }
        let was_in_its_past = peer.is_in_its_past();
        peer.answered += 1;
        self.outstanding -= 1;
        self.in_their_past -= u64::from(was_in_its_past && !peer.is_in_its_past());
        if let Some(wrong) = wrong {
            context.tally.error(wrong, 1);
        }
    }

    /// The oldest outstanding message is answered: counts how long that took, if the reply is right. Closed loop: what
    /// arrives in the measured time counts. Open loop: what was meant to be sent in it.
    fn count(&mut self, peer: &Peer, is_right: bool, at_ns: u64, context: &mut Context) {
        let (latency_ns, service_ns, counts) = match &mut self.pace {
            Pace::Closed(closed) => (at_ns - closed.sent_ns(peer), None, context.schedule.counts(at_ns)),
            Pace::Open(open) => {
                let Sent { intended_ns, sent_ns } = open.answered(peer);
                (at_ns - intended_ns, Some(at_ns - sent_ns), context.schedule.counts(intended_ns))
            }
        };
        if !is_right {
            return;
        }
        context.arrived(at_ns, latency_ns);
        if counts {
            context.tally.latency.record_ns(latency_ns);
        }
        if counts && let Some(service_ns) = service_ns {
            context.tally.service.record_ns(service_ns);
        }
    }

    /// Appends the connection's next message to what is sent.
    fn write(&self, peer: &mut Peer, context: &mut Context) {
        let mut digits = [0; _];
        let parts = self.template(peer, peer.sent).parts(peer.stamp(peer.sent), &mut digits);
        write_frame(self.opcode, parts, &mut context.random, &mut context.out);
        peer.sent += 1;
    }

    /// Is a message due on this connection? In open loop it then has to be sent.
    fn take_due(&mut self, peer: &Peer, now_ns: u64, context: &Context) -> bool {
        match &mut self.pace {
            Pace::Closed(closed) => closed.is_due(peer, context),
            Pace::Open(open) => open.take_due(peer, now_ns, &context.schedule),
        }
    }
}

impl Workload for Echo {
    type Connection = Peer;

    fn role(&self, _peer: &Peer) -> Role {
        Role::WebSocket("/ws/echo")
    }

    fn is_in_its_past(&self, peer: &Peer) -> bool {
        peer.is_in_its_past()
    }

    fn opened(&mut self, peer: &mut Peer) {
        if let Pace::Open(open) = &mut self.pace {
            open.opened(peer);
        }
    }

    fn receive(
        &mut self,
        peer: &mut Peer,
        mut bytes: &mut [u8],
        at_ns: u64,
        context: &mut Context,
    ) -> Result<(), Loss> {
        while let Some(chunk) = peer.client.next(&mut bytes, &mut context.random, &mut context.out)? {
            let template = self.template(peer, peer.answered);
            peer.check.piece(template, chunk.payload).map_err(|_| Loss::TooLong)?;
            if chunk.last {
                self.reply(peer, chunk.opcode, at_ns, context);
            }
        }
        Ok(())
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        if peer.is_in_its_past() {
            if peer.outstanding() == 0 && context.preparing {
                self.write(peer, context);
                self.outstanding += 1;
            }
            return;
        }
        let first = peer.sent;
        let now_ns = if matches!(self.pace, Pace::Open(_)) { context.clock.now_ns() } else { 0 };
        while context.out.len() < Context::OUT_BYTES && self.take_due(peer, now_ns, context) {
            self.write(peer, context);
        }
        if peer.sent > first {
            self.outstanding += peer.sent - first;
            match &mut self.pace {
                Pace::Closed(closed) => closed.sent(peer, first, context),
                Pace::Open(open) => open.sent(peer, first, context),
            }
        }
        if let Pace::Open(open) = &mut self.pace {
            open.set_alarm(peer, now_ns, &context.schedule);
        }
    }

    fn tick(&mut self, now_ns: u64, _context: &mut Context, due: &mut Vec<usize>) {
        if let Pace::Open(open) = &mut self.pace {
            open.ring(now_ns, due);
        }
    }

    fn next_tick_ns(&self, _context: &Context) -> u64 {
        match &self.pace {
            Pace::Closed(_) => u64::MAX,
            Pace::Open(open) => open.next_alarm_ns(),
        }
    }

    fn unprepared(&self) -> u64 {
        self.in_their_past
    }

    fn lost(&mut self, peer: &mut Peer, _was_open: bool) {
        self.outstanding -= peer.outstanding();
        self.in_their_past -= u64::from(peer.is_in_its_past());
        match &mut self.pace {
            Pace::Closed(closed) => closed.end(peer),
            Pace::Open(open) => open.end(peer),
        }
        (peer.past, peer.answered) = (0, peer.sent);
    }

    fn is_done(&self, context: &Context) -> bool {
        let all_sent = match &self.pace {
            Pace::Closed(closed) => !context.sending || closed.is_done(),
            Pace::Open(open) => !context.sending && open.is_done(),
        };
        all_sent && self.outstanding == 0
    }

    fn finish(&mut self, context: &mut Context) {
        context.tally.error("no reply", self.outstanding);
        if let Pace::Open(open) = &self.pace {
            let now_ns = context.clock.now_ns();
            context.tally.error("a message that was not sent", open.unsent(now_ns, &context.schedule));
        }
    }
}

#[cfg(test)]
mod tests;
