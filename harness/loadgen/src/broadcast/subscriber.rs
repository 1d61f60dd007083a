use super::check::{Check, Record, Sink};
use super::event_stream::EventStream;
use super::long_poll::LongPoll;
use super::socket::Socket;
use crate::engine::{Context, Role};
use crate::load::Subscription;
use crate::loss::Loss;

/// One subscriber, by one transport or another.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(super) record: Record,
    stream: Stream,
}

/// What brings it the publications.
#[derive(Debug)]
enum Stream {
    Socket(Socket),
    Events(Box<EventStream>),
    Polls(Box<LongPoll>),
}

impl Subscriber {
    /// The one with this number among those of all loops.
    pub(super) fn new(subscription: Subscription, number: usize, check: &Check) -> Self {
        let stream = match subscription.of(number) {
            Subscription::Sse => Stream::Events(Box::new(EventStream::new())),
            Subscription::LongPoll => Stream::Polls(Box::new(LongPoll::new(check.max_json_bytes()))),
            Subscription::Websocket | Subscription::Mixed => Stream::Socket(Socket::new()),
        };
        Self { record: Record::default(), stream }
    }

    pub(super) fn role(&self) -> Role {
        match self.stream {
            Stream::Socket(_) => Role::WebSocket(Socket::PATH),
            Stream::Events(_) | Stream::Polls(_) => Role::Answered,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        match &self.stream {
            Stream::Socket(_) => true,
            Stream::Events(events) => events.is_open(),
            Stream::Polls(polls) => polls.is_open(),
        }
    }

    /// Is it a subscriber only while a poll waits?
    pub(super) fn polls(&self) -> bool {
        matches!(self.stream, Stream::Polls(_))
    }

    /// Asks for what it needs to receive more; `end` is that of every request.
    pub(super) fn ask(&mut self, end: &[u8], out: &mut Vec<u8>) {
        match &mut self.stream {
            Stream::Socket(_) => {}
            Stream::Events(events) => events.ask(end, out),
            Stream::Polls(polls) => polls.ask(end, out),
        }
    }

    pub(super) fn receive(
        &mut self,
        bytes: &mut [u8],
        at_ns: u64,
        check: &mut Check,
        context: &mut Context,
    ) -> Result<(), Loss> {
        let sink = &mut Sink { check, record: &mut self.record, at_ns, context };
        match &mut self.stream {
            Stream::Socket(socket) => socket.receive(bytes, sink),
            Stream::Events(events) => events.receive(bytes, sink),
            Stream::Polls(polls) => polls.receive(bytes, sink),
        }
    }
}
