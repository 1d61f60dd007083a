//! Subscribers on `WS /ws/broadcast`, `GET /sse` and `GET /poll` check what publishers send by `POST /publish`, or in a
//! chat on their own sockets.
//!
//! Whatever brings a delivery, it is checked and counted in one place (`check`). The data of a publication says by whom
//! and when it was meant to be sent, so a subscriber needs no table to know how long it took, and all that a delivery
//! costs is a comparison in place and a count.

mod check;
mod delivered;
mod event_stream;
mod long_poll;
mod order;
mod publisher;
mod shared;
mod socket;
mod subscriber;

use std::net::SocketAddr;
use std::sync::Arc;

use check::Check;
use framing::Opcode;
pub(crate) use publisher::Pace;
use publisher::Publisher;
pub(crate) use shared::Shared;
use subscriber::Subscriber;

use crate::engine::{Context, Role, Workload};
use crate::http::{request_end, request_head};
use crate::load::{FanOut, Kind};
use crate::loss::Loss;
use crate::payload::{Note, fill};
use crate::websocket::write_frame;

/// What the loops of a broadcast have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) target: SocketAddr,
    /// Its publications have at least [`Broadcast::MIN_BYTES`] of data.
    pub(crate) fan_out: FanOut,
    pub(crate) pace: Pace,
}

/// One loop's share of a broadcast.
#[derive(Debug)]
pub(crate) struct Broadcast {
    shared: Arc<Shared>,
    publishers: Vec<Publisher>,
    /// Head of every publication's request.
    head: Vec<u8>,
    /// End of every other request.
    end: Vec<u8>,
    check: Check,
    ticked_ns: u64,
}

/// One connection.
#[derive(Debug)]
pub(crate) enum Peer {
    /// A subscriber, and the index of the publisher that publishes on its socket, if one does.
    Subscriber(Subscriber, Option<usize>),
    /// Index of the publisher in its loop.
    Publisher(usize),
}

impl Broadcast {
    /// Least length of a publication's data, in bytes.
    pub(crate) const MIN_BYTES: usize = Note::BYTES;

    /// Loop number `here` of so many, and the states of its connections: of subscribers, then of publishers that have one
    /// of their own.
    pub(crate) fn new(here: usize, loops: usize, plan: &Plan, shared: Arc<Shared>) -> (Self, Vec<Peer>) {
        let &Plan { target, fan_out, pace } = plan;
        let fill = fill(fan_out.payload_bytes - Note::BYTES, Kind::Text);
        let check = Check::new(here, Arc::clone(&shared), matches!(pace, Pace::Closed { .. }), fill);
        let subscriber = |number| Subscriber::new(fan_out.subscription, number, &check);
        let subscribers = (here..fan_out.subscribers).step_by(loops).map(subscriber);
        let mut peers: Vec<_> = subscribers.map(|subscriber| Peer::Subscriber(subscriber, None)).collect();
        let mut publishers = Vec::new();
        for (index, number) in (here..fan_out.publishers).step_by(loops).enumerate() {
            let on_socket = fan_out.publishes_on_its_socket(number);
            // In a chat the subscriber of the same number has the same place in the same loop.
            let slot = match peers.get_mut(index) {
                Some(Peer::Subscriber(_, own)) if on_socket => {
                    *own = Some(index);
                    index
                }
                _ => {
                    peers.push(Peer::Publisher(index));
                    peers.len() - 1
                }
            };
            publishers.push(Publisher::new(number as u32, slot, pace, on_socket));
        }
        let (head, end) = (request_head(target, fan_out.payload_bytes), request_end(target));
        (Self { shared, publishers, head, end, check, ticked_ns: 0 }, peers)
    }
}

impl Workload for Broadcast {
    type Connection = Peer;

    fn role(&self, peer: &Peer) -> Role {
        match peer {
            Peer::Subscriber(subscriber, _) => subscriber.role(),
            Peer::Publisher(_) => Role::Helper("publisher"),
        }
    }

    fn is_open(&self, peer: &Peer) -> bool {
        match peer {
            Peer::Subscriber(subscriber, _) => subscriber.is_open(),
            Peer::Publisher(_) => true,
        }
    }

    fn opened(&mut self, peer: &mut Peer) {
        if let Peer::Subscriber(subscriber, _) = peer {
            self.check.live += 1;
            self.shared.subscriber_opened(subscriber.polls());
        }
    }

    fn receive(
        &mut self,
        peer: &mut Peer,
        bytes: &mut [u8],
        at_ns: u64,
        context: &mut Context,
    ) -> Result<(), Loss> {
        match peer {
            Peer::Publisher(index) => self.publishers[*index].receive(bytes, context, &self.shared),
            Peer::Subscriber(subscriber, _) => subscriber.receive(bytes, at_ns, &mut self.check, context),
        }
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        let index = match peer {
            Peer::Subscriber(subscriber, publisher) => {
                subscriber.ask(&self.end, &mut context.out);
                *publisher
            }
            Peer::Publisher(index) => Some(*index),
        };
        let Some(publisher) = index.map(|index| &mut self.publishers[index]) else { return };
        while context.out.len() < Context::OUT_BYTES {
            let now_ns = context.clock.now_ns();
            let Some(intended_ns) = publisher.due_ns(now_ns, context, &self.shared) else { break };
            let note = publisher.begin(intended_ns, now_ns, context, &self.shared);
            let data = [&note.write()[..], &self.check.fill];
            if publisher.on_socket {
                write_frame(Opcode::Text, data, &mut context.random, &mut context.out);
            } else {
                context.out.extend_from_slice(&self.head);
                data.iter().for_each(|part| context.out.extend_from_slice(part));
            }
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
            Peer::Subscriber(subscriber, publisher) => {
                publisher.iter().for_each(|&index| self.publishers[index].give_up(&self.shared));
                self.check.forget(&subscriber.record);
                if was_open {
                    self.check.live -= 1;
                    self.shared.subscriber_lost();
                }
            }
        }
    }

    fn is_done(&self, _context: &Context) -> bool {
        let Check { settled, live, .. } = self.check;
        let settled = || settled >= self.shared.accepted().saturating_mul(live);
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
        context.tally.fan_out.subscribers = self.check.live;
        context.tally.fan_out.delivered = self.check.delivered;
    }
}

#[cfg(test)]
mod tests;
