//! Subscribers on `WS /ws/broadcast`, `GET /sse` and `GET /poll` check what publishers send by `POST /publish`.
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
pub(crate) use publisher::Pace;
use publisher::Publisher;
pub(crate) use shared::Shared;
use subscriber::Subscriber;

use crate::engine::{Context, Role, Workload};
use crate::http::{request_end, request_head};
use crate::load::{Kind, Subscription};
use crate::loss::Loss;
use crate::payload::{Note, fill};

/// What the loops of a broadcast have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) target: SocketAddr,
    pub(crate) subscription: Subscription,
    /// Length of a publication's data: at least [`Broadcast::MIN_BYTES`].
    pub(crate) payload_bytes: usize,
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
    Subscriber(Subscriber),
    /// Index of the publisher in its loop.
    Publisher(usize),
}

impl Broadcast {
    /// Least length of a publication's data, in bytes.
    pub(crate) const MIN_BYTES: usize = Note::BYTES;

    /// Loop number `here`, and the states of its connections: the subscribers with these numbers, then the publishers
    /// with theirs.
    pub(crate) fn new(
        here: usize,
        subscribers: impl Iterator<Item = usize>,
        publishers: impl Iterator<Item = u32>,
        plan: &Plan,
        shared: Arc<Shared>,
    ) -> (Self, Vec<Peer>) {
        let &Plan { target, subscription, payload_bytes, pace } = plan;
        let fill = fill(payload_bytes - Note::BYTES, Kind::Text);
        let check = Check::new(here, Arc::clone(&shared), matches!(pace, Pace::Closed { .. }), fill);
        let mut peers: Vec<_> = subscribers
            .map(|number| Peer::Subscriber(Subscriber::new(subscription, number, &check)))
            .collect();
        let first = peers.len();
        let publishers: Vec<_> = publishers
            .enumerate()
            .map(|(index, number)| Publisher::new(number, first + index, pace))
            .collect();
        peers.extend((0..publishers.len()).map(Peer::Publisher));
        let (head, end) = (request_head(target, payload_bytes), request_end(target));
        (Self { shared, publishers, head, end, check, ticked_ns: 0 }, peers)
    }
}

impl Workload for Broadcast {
    type Connection = Peer;

    fn role(&self, peer: &Peer) -> Role {
        match peer {
            Peer::Subscriber(subscriber) => subscriber.role(),
            Peer::Publisher(_) => Role::Helper("publisher"),
        }
    }

    fn is_open(&self, peer: &Peer) -> bool {
        match peer {
            Peer::Subscriber(subscriber) => subscriber.is_open(),
            Peer::Publisher(_) => true,
        }
    }

    fn opened(&mut self, peer: &mut Peer) {
        if let Peer::Subscriber(subscriber) = peer {
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
            Peer::Subscriber(subscriber) => subscriber.receive(bytes, at_ns, &mut self.check, context),
        }
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        let publisher = match peer {
            Peer::Subscriber(subscriber) => return subscriber.ask(&self.end, &mut context.out),
            Peer::Publisher(index) => &mut self.publishers[*index],
        };
        while context.out.len() < Context::OUT_BYTES {
            let now_ns = context.clock.now_ns();
            let Some(intended_ns) = publisher.due_ns(now_ns, context, &self.shared) else { break };
            let note = publisher.begin(intended_ns, now_ns, context, &self.shared);
            context.out.extend_from_slice(&self.head);
            context.out.extend_from_slice(&note.write());
            context.out.extend_from_slice(&self.check.fill);
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
            Peer::Subscriber(subscriber) => {
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
