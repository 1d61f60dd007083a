//! Subscribers on `WS /ws/broadcast` check what publishers send by `POST /publish`.
//!
//! The data of a publication says by whom and when it was meant to be sent, so a subscriber needs no table
//! to know how long it took, and all that a delivery costs is a comparison in place and a count.

mod order;
mod publisher;
mod shared;
mod subscriber;

use std::net::SocketAddr;
use std::sync::Arc;

use framing::Opcode;
use order::Place;
pub(crate) use publisher::Pace;
use publisher::Publisher;
pub(crate) use shared::Shared;
use subscriber::{Delivered, MAX_ENVELOPE_BYTES, Subscriber};

use crate::engine::{Context, Role, Workload};
use crate::http::request_head;
use crate::load::Kind;
use crate::loss::Loss;
use crate::payload::{Note, fill};

/// One loop's share of a broadcast.
#[derive(Debug)]
pub(crate) struct Broadcast {
    /// Number of this loop.
    here: usize,
    shared: Arc<Shared>,
    pace: Pace,
    publishers: Vec<Publisher>,
    /// Head of every publication's request.
    head: Vec<u8>,
    /// End of every publication's data.
    fill: Box<[u8]>,
    /// Of this loop's subscribers that are open: how many, and the sums of theirs.
    live: u64,
    delivered: u64,
    settled: u64,
    ticked_ns: u64,
}

/// One connection.
#[derive(Debug)]
pub(crate) enum Peer {
    Subscriber(Subscriber),
    /// Index of the publisher in its loop.
    Publisher(usize),
}

impl Broadcast {
    /// Least length of a publication's data, in bytes.
    pub(crate) const MIN_BYTES: usize = Note::BYTES;

    /// Loop number `here`, and the states of its connections: `subscribers`, then the publishers with these
    /// `numbers`. `payload_bytes` is at least [`MIN_BYTES`](Self::MIN_BYTES).
    pub(crate) fn new(
        here: usize,
        subscribers: usize,
        numbers: impl Iterator<Item = u32>,
        payload_bytes: usize,
        pace: Pace,
        target: SocketAddr,
        shared: Arc<Shared>,
    ) -> (Self, Vec<Peer>) {
        let publishers: Vec<_> = numbers
            .enumerate()
            .map(|(index, number)| Publisher::new(number, subscribers + index, pace))
            .collect();
        let peers = (0..subscribers)
            .map(|_| Peer::Subscriber(Subscriber::new()))
            .chain((0..publishers.len()).map(Peer::Publisher))
            .collect();
        let broadcast = Self {
            here,
            shared,
            pace,
            publishers,
            head: request_head(target, payload_bytes),
            fill: fill(payload_bytes - Note::BYTES, Kind::Text),
            live: 0,
            delivered: 0,
            settled: 0,
            ticked_ns: 0,
        };
        (broadcast, peers)
    }

    fn max_message_bytes(&self) -> usize {
        MAX_ENVELOPE_BYTES + Note::BYTES + self.fill.len()
    }

    /// A message has arrived at a subscriber.
    fn deliver(
        &mut self,
        subscriber: &mut Subscriber,
        opcode: Opcode,
        message: &[u8],
        at_ns: u64,
        context: &mut Context,
    ) {
        let tally = &mut context.tally;
        let Some(delivered) = Delivered::read(opcode, message, &self.fill) else {
            return tally.error("a message that is no delivery", 1);
        };
        let counts = u64::from(delivered.note.is_some_and(|note| context.schedule.counts(note.intended_ns)));
        match subscriber.order.note(delivered.id) {
            Place::Next { skipped } => {
                let settled = skipped.saturating_add(1);
                subscriber.settled = subscriber.settled.saturating_add(settled);
                self.settled = self.settled.saturating_add(settled);
            }
            Place::Late => {
                tally.delivery.out_of_order += counts;
                tally.error("a delivery out of order", 1);
            }
            Place::Again => {
                tally.delivery.duplicates += counts;
                return tally.error("a delivery that came again", 1);
            }
        }
        subscriber.delivered += 1;
        self.delivered += 1;
        let Some(note) = delivered.note else {
            return tally.error("a delivery that differs from what was published", 1);
        };
        tally.delivery.received += counts;
        let latency_ns = at_ns.saturating_sub(note.intended_ns);
        if counts > 0 {
            tally.latency.record_ns(latency_ns);
        }
        context.arrived(at_ns, latency_ns);
        if matches!(self.pace, Pace::Closed { .. }) {
            self.shared.delivered(note.publisher, note.sequence, self.here);
        }
    }
}

impl Workload for Broadcast {
    type Connection = Peer;

    fn role(&self, peer: &Peer) -> Role {
        match peer {
            Peer::Subscriber(_) => Role::WebSocket("/ws/broadcast"),
            Peer::Publisher(_) => Role::Helper("publisher"),
        }
    }

    fn opened(&mut self, peer: &mut Peer) {
        if let Peer::Subscriber(_) = peer {
            self.live += 1;
            self.shared.subscriber_opened();
        }
    }

    fn receive(
        &mut self,
        peer: &mut Peer,
        mut bytes: &mut [u8],
        at_ns: u64,
        context: &mut Context,
    ) -> Result<(), Loss> {
        let subscriber = match peer {
            Peer::Publisher(index) => {
                return self.publishers[*index].receive(bytes, context, &self.shared);
            }
            Peer::Subscriber(subscriber) => subscriber,
        };
        while let Some(chunk) = subscriber.client.next(&mut bytes, &mut context.random, &mut context.out)? {
            if chunk.first && chunk.last {
                self.deliver(subscriber, chunk.opcode, chunk.payload, at_ns, context);
                continue;
            }
            subscriber.partial.extend_from_slice(chunk.payload);
            if subscriber.partial.len() > self.max_message_bytes() {
                return Err(Loss::TooLong);
            }
            if chunk.last {
                let message = std::mem::take(&mut subscriber.partial);
                self.deliver(subscriber, chunk.opcode, &message, at_ns, context);
            }
        }
        Ok(())
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        let &mut Peer::Publisher(index) = peer else { return };
        let publisher = &mut self.publishers[index];
        while context.out.len() < Context::OUT_BYTES {
            let now_ns = context.clock.now_ns();
            let Some(intended_ns) = publisher.due_ns(now_ns, context, &self.shared) else { break };
            let note = publisher.begin(intended_ns, now_ns, context, &self.shared);
            context.out.extend_from_slice(&self.head);
            context.out.extend_from_slice(&note.write());
            context.out.extend_from_slice(&self.fill);
        }
    }

    fn tick(&mut self, now_ns: u64, context: &mut Context, due: &mut Vec<usize>) {
        self.ticked_ns = now_ns;
        for publisher in &mut self.publishers {
            publisher.try_finish(context, &self.shared);
            if publisher.due_ns(now_ns, context, &self.shared).is_some() {
                due.push(publisher.slot);
            }
        }
    }

    fn next_tick_ns(&self, context: &Context) -> u64 {
        let next = |publisher: &Publisher| publisher.next_tick_ns(self.ticked_ns, &context.schedule);
        self.publishers.iter().filter_map(next).min().unwrap_or(u64::MAX)
    }

    fn lost(&mut self, peer: &mut Peer, was_open: bool) {
        match peer {
            Peer::Publisher(index) => self.publishers[*index].give_up(&self.shared),
            Peer::Subscriber(subscriber) if was_open => {
                self.live -= 1;
                self.delivered -= subscriber.delivered;
                self.settled = self.settled.saturating_sub(subscriber.settled);
                self.shared.subscriber_lost();
            }
            Peer::Subscriber(_) => {}
        }
    }

    fn is_done(&self, _context: &Context) -> bool {
        let settled = || self.settled >= self.shared.accepted().saturating_mul(self.live);
        self.shared.live() == 0 || (self.shared.all_published() && settled())
    }

    fn finish(&mut self, context: &mut Context) {
        let now_ns = context.clock.now_ns();
        for publisher in &self.publishers {
            context.tally.error("no answer to a publication", publisher.unanswered);
            context
                .tally
                .error("a publication that was not sent", publisher.unsent(now_ns, &context.schedule));
        }
        context.tally.fan_out.subscribers = self.live;
        context.tally.fan_out.delivered = self.delivered;
    }
}

#[cfg(test)]
mod tests;
