//! Each client fetches the feed of 500 items again and again, by `GET /feed`, `GET /feed/sse` or `WS /feed/ws`.
//!
//! The first one is fetched before the load begins, and all others are compared with it, byte for byte, whatever brings
//! them.

mod fetch;
mod fixture;
mod reading;

use std::net::SocketAddr;
use std::sync::Arc;

use fetch::Fetch;
pub(crate) use fixture::Fixture;
use reading::Reading;

use crate::engine::{Context, Role, Workload};
use crate::http::request_end;
use crate::load::FeedTransport;
use crate::loss::Loss;

/// One loop's share of the clients.
#[derive(Debug)]
pub(crate) struct Feed {
    fixture: Arc<Fixture>,
    transport: FeedTransport,
    /// The request of every feed over plain HTTP.
    request: Vec<u8>,
    /// Feeds that are asked for and not complete.
    outstanding: u64,
    /// Connections that the server is to end.
    leaving: u64,
}

/// One client.
#[derive(Debug)]
pub(crate) struct Peer {
    fetch: Fetch,
    reading: Reading,
    /// Has the server to end the connection now?
    is_over: bool,
}

impl Feed {
    /// So many clients.
    pub(crate) fn new(
        target: SocketAddr,
        transport: FeedTransport,
        clients: usize,
        fixture: Arc<Fixture>,
    ) -> (Self, Vec<Peer>) {
        let path = if transport == FeedTransport::Sse { "/feed/sse" } else { "/feed" };
        let request = [format!("GET {path}").into_bytes(), request_end(target)].concat();
        let feed = Self { fixture, transport, request, outstanding: 0, leaving: 0 };
        let peers = (0..clients).map(|_| feed.peer()).collect();
        (feed, peers)
    }

    fn peer(&self) -> Peer {
        let fetch = Fetch::new(self.transport, &self.fixture);
        Peer { fetch, reading: Reading::default(), is_over: false }
    }

    /// A feed has been read to its end.
    fn complete(&mut self, peer: &mut Peer, at_ns: u64, context: &mut Context) {
        self.outstanding -= 1;
        peer.is_over = self.reopens();
        self.leaving += u64::from(peer.is_over);
        let (first_ns, last_ns) = match std::mem::take(&mut peer.reading).finish(&self.fixture) {
            Ok(times) => times,
            Err(fault) => return context.tally.error(fault, 1),
        };
        context.arrived(at_ns, last_ns);
        if context.schedule.counts(at_ns) {
            context.tally.latency.record_ns(last_ns);
            context.tally.first_item.record_ns(first_ns);
        }
    }
}

impl Workload for Feed {
    type Connection = Peer;

    fn role(&self, _peer: &Peer) -> Role {
        // The upgrade is a part of the fetch.
        Role::Http
    }

    fn reopens(&self) -> bool {
        self.transport == FeedTransport::Websocket
    }

    fn opened(&mut self, _peer: &mut Peer) {}

    fn receive(
        &mut self,
        peer: &mut Peer,
        mut bytes: &mut [u8],
        at_ns: u64,
        context: &mut Context,
    ) -> Result<(), Loss> {
        // After both have closed nothing that comes means anything.
        while !bytes.is_empty() && !peer.is_over {
            let Peer { fetch, reading, .. } = peer;
            if fetch.receive(&mut bytes, at_ns, reading, &self.fixture, context)? {
                self.complete(peer, at_ns, context);
            }
        }
        Ok(())
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        // A connection that was opened for one feed is brought to its end in the drain.
        let may_ask = if self.reopens() { context.schedule.has_begun() } else { context.sending };
        if !may_ask || peer.is_over || peer.reading.asked_ns.is_some() {
            return;
        }
        peer.fetch.ask(&self.request, context);
        let now_ns = context.clock.now_ns();
        peer.reading = Reading::asked(now_ns);
        self.outstanding += 1;
        context.tally.sent += u64::from(context.schedule.counts(now_ns));
    }

    fn is_over(&self, peer: &Peer) -> bool {
        peer.is_over
    }

    fn renew(&mut self, peer: &mut Peer) {
        self.leaving -= 1;
        *peer = self.peer();
    }

    fn lost(&mut self, peer: &mut Peer, _was_open: bool) {
        self.outstanding -= u64::from(peer.reading.asked_ns.take().is_some());
        self.leaving -= u64::from(std::mem::take(&mut peer.is_over));
    }

    fn is_done(&self, context: &Context) -> bool {
        !self.reopens() && !context.sending && self.outstanding == 0
    }

    fn finish(&mut self, context: &mut Context) {
        context.tally.error("a feed that did not come to its end", self.outstanding);
        context.tally.error("a connection that the server did not end", self.leaving);
    }
}

#[cfg(test)]
mod tests;
