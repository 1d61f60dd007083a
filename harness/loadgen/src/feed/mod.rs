//! Each client fetches the feed of 500 items again and again, by `GET /feed` or `GET /feed/sse`.
//!
//! The first one is fetched before the load begins, and all others are compared with it, byte for byte, whatever brings
//! them.

mod fixture;
mod reading;

use std::net::SocketAddr;
use std::sync::Arc;

pub(crate) use fixture::Fixture;
use reading::Reading;

use crate::engine::{Context, Role, Workload};
use crate::http::{Decoder, Head, Part, request_end};
use crate::load::FeedTransport;
use crate::loss::Loss;

/// Longest of what an event has beside its item.
const MAX_FIELDS_BYTES: usize = 1024;
/// What each of a client's buffers may keep between two events.
const KEPT_BYTES: usize = 256;

/// One loop's share of the clients.
#[derive(Debug)]
pub(crate) struct Feed {
    fixture: Arc<Fixture>,
    /// The request of every feed.
    request: Vec<u8>,
    /// Feeds that are asked for and not complete.
    outstanding: u64,
}

/// One client.
#[derive(Debug)]
pub(crate) struct Peer {
    decoder: Decoder,
    /// Of an event stream.
    parser: Option<Box<sse::Parser>>,
    reading: Reading,
}

impl Feed {
    /// So many clients.
    pub(crate) fn new(
        target: SocketAddr,
        transport: FeedTransport,
        clients: usize,
        fixture: Arc<Fixture>,
    ) -> (Self, Vec<Peer>) {
        let (path, is_stream) = match transport {
            FeedTransport::Xhr => ("/feed", false),
            FeedTransport::Sse => ("/feed/sse", true),
        };
        // Of a wrong feed all is read, as far as it is not far longer.
        let most_bytes = 2 * fixture.array().len() as u64 + 1024 * 1024;
        let peer = |_| Peer {
            decoder: Decoder::up_to(most_bytes),
            parser: is_stream.then(Box::default),
            reading: Reading::default(),
        };
        let request = [format!("GET {path}").into_bytes(), request_end(target)].concat();
        (Self { fixture, request, outstanding: 0 }, (0..clients).map(peer).collect())
    }
}

impl Peer {
    fn head(&mut self, head: Head) -> Result<(), Loss> {
        let Head { status, is_event_stream, until_close } = head;
        if self.reading.asked_ns.is_none() {
            return Err(Loss::Malformed("an answer to no request"));
        }
        if until_close {
            return Err(Loss::Malformed("no Content-Length"));
        }
        if status != 200 {
            self.reading.blame(format!("a request answered with HTTP {status}"));
        } else if is_event_stream != self.parser.is_some() {
            self.reading.blame("a feed of the wrong media type");
        }
        Ok(())
    }

    fn body(&mut self, mut data: &[u8], fixture: &Fixture, at_ns: u64) -> Result<(), Loss> {
        let Some(parser) = &mut self.parser else {
            self.reading.array(data, fixture, at_ns);
            return Ok(());
        };
        while let Some(event) = parser.next(&mut data) {
            if event.name != b"message" || event.id != (self.reading.items + 1).to_string().as_bytes() {
                self.reading.blame("an event that is no item");
            }
            self.reading.piece(event.data, true, fixture, at_ns);
        }
        if parser.held_bytes() > fixture.longest_bytes() + MAX_FIELDS_BYTES {
            return Err(Loss::TooLong);
        }
        Ok(())
    }

    /// The feed has been read to its end.
    fn complete(&mut self, fixture: &Fixture, at_ns: u64, context: &mut Context) {
        if let Some(parser) = &mut self.parser {
            **parser = sse::Parser::new();
        }
        let (first_ns, last_ns) = match std::mem::take(&mut self.reading).finish(fixture) {
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
        Role::Http
    }

    fn opened(&mut self, _peer: &mut Peer) {}

    fn receive(
        &mut self,
        peer: &mut Peer,
        bytes: &mut [u8],
        at_ns: u64,
        context: &mut Context,
    ) -> Result<(), Loss> {
        let mut bytes = &*bytes;
        while let Some(part) = peer.decoder.next(&mut bytes)? {
            match part {
                Part::Head(head) => peer.head(head)?,
                Part::Data(data) => peer.body(data, &self.fixture, at_ns)?,
                Part::End => {
                    peer.complete(&self.fixture, at_ns, context);
                    self.outstanding -= 1;
                }
            }
        }
        if let Some(parser) = &mut peer.parser {
            parser.shrink_to(KEPT_BYTES);
        }
        Ok(())
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        if peer.reading.asked_ns.is_some() || !context.sending {
            return;
        }
        context.out.extend_from_slice(&self.request);
        let now_ns = context.clock.now_ns();
        peer.reading = Reading::asked(now_ns);
        self.outstanding += 1;
        context.tally.sent += u64::from(context.schedule.counts(now_ns));
    }

    fn lost(&mut self, peer: &mut Peer, _was_open: bool) {
        self.outstanding -= u64::from(peer.reading.asked_ns.take().is_some());
    }

    fn is_done(&self, context: &Context) -> bool {
        !context.sending && self.outstanding == 0
    }

    fn finish(&mut self, context: &mut Context) {
        context.tally.error("a feed that did not come to its end", self.outstanding);
    }
}

#[cfg(test)]
mod tests;
