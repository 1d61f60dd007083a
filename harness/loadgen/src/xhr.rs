use std::io::Write;
use std::net::SocketAddr;

use crate::engine::{Context, Role, Workload};
use crate::http::Answers;
use crate::loss::Loss;

/// Closed loop on `GET /xhr?count=N`: each connection has one request outstanding, and its answer must be
/// `{"count":N-1}`, byte for byte.
#[derive(Debug)]
pub(crate) struct Xhr {
    /// What follows the count in every request.
    rest: Vec<u8>,
    /// Requests outstanding on all of this loop's connections.
    outstanding: u64,
}

/// One keep-alive connection.
#[derive(Debug)]
pub(crate) struct Peer {
    answers: Answers,
    number: u64,
    /// Requests so far.
    sent: u64,
    /// When the one outstanding was sent.
    sent_ns: Option<u64>,
}

impl Xhr {
    /// The connections with these numbers.
    pub(crate) fn new(host: SocketAddr, numbers: impl Iterator<Item = usize>) -> (Self, Vec<Peer>) {
        let peer =
            |number| Peer { answers: Answers::default(), number: number as u64, sent: 0, sent_ns: None };
        let rest = format!(" HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes();
        (Self { rest, outstanding: 0 }, numbers.map(peer).collect())
    }
}

impl Peer {
    /// The count of its latest request: another in each, with nine digits in all, so that all are of one length,
    /// as are the answers.
    fn count(&self) -> u64 {
        let scattered = self.number.wrapping_mul(1_000_003).wrapping_add(self.sent.wrapping_mul(618_033_989));
        100_000_001 + scattered % 899_999_999
    }

    fn expects(&self, body: &[u8]) -> bool {
        let count = body.strip_prefix(br#"{"count":"#).and_then(|rest| rest.strip_suffix(b"}"));
        count.is_some_and(|digits| digits.len() == 9 && decimal(digits) == Some(self.count() - 1))
    }

    fn answered(&mut self, status: u16, body: &[u8], at_ns: u64, context: &mut Context) {
        let Some(sent_ns) = self.sent_ns.take() else {
            return context.tally.error("an answer to no request", 1);
        };
        if status != 200 {
            return context.tally.error(format!("a request answered with HTTP {status}"), 1);
        }
        if !self.expects(body) {
            return context.tally.error("an answer that differs from the right one", 1);
        }
        context.arrived(at_ns, at_ns - sent_ns);
        if context.schedule.counts(at_ns) {
            context.tally.latency.record_ns(at_ns - sent_ns);
        }
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0')))
}

impl Workload for Xhr {
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
        // Taken out, so that each answer can change the rest.
        let mut answers = std::mem::take(&mut peer.answers);
        let was_waiting = peer.sent_ns.is_some();
        let read = answers.receive(bytes, |status, body| peer.answered(status, body, at_ns, context));
        peer.answers = answers;
        self.outstanding -= u64::from(was_waiting && peer.sent_ns.is_none());
        read
    }

    fn produce(&mut self, peer: &mut Peer, context: &mut Context) {
        if peer.sent_ns.is_some() || !context.sending {
            return;
        }
        peer.sent += 1;
        // Writing to memory does not fail.
        let _ = write!(context.out, "GET /xhr?count={}", peer.count());
        context.out.extend_from_slice(&self.rest);
        let now_ns = context.clock.now_ns();
        peer.sent_ns = Some(now_ns);
        self.outstanding += 1;
        context.tally.sent += u64::from(context.schedule.counts(now_ns));
    }

    fn lost(&mut self, peer: &mut Peer, _was_open: bool) {
        self.outstanding -= u64::from(peer.sent_ns.take().is_some());
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
