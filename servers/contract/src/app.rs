use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::publication::{Publication, is_event_name};
use crate::query::{MAX_COUNT, after, parameter, whole_number};
use crate::ring::Transport;
use crate::{
    About, Answer, Countdown, Feed, Hub, Limits, Poll, Receipt, Refusal, Settings, Subscription, Timing,
    countdown,
};

/// Everything a contender's handlers share. `M` is a publication as the framework sends it over a
/// WebSocket: made once, then cloned for each subscriber, so cloning it must not copy the text.
#[derive(Debug)]
pub struct App<M> {
    about: Arc<About>,
    limits: Limits,
    timing: Timing,
    hub: Arc<Hub<M>>,
    encode: fn(Bytes) -> M,
    /// The items of the feed as messages, made when first asked for.
    feed: Arc<OnceLock<Vec<M>>>,
}

/// Headers of an event stream, names in lower case.
pub const EVENT_STREAM_HEADERS: [(&str, &str); 2] =
    [("content-type", "text/event-stream"), ("cache-control", "no-store")];

/// A comment, sent between two blocks of an event stream.
pub const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

/// What is sent on `GET /sse`, beside the head.
#[derive(Debug)]
pub struct EventStream<M> {
    /// To be sent at once.
    pub first: Bytes,
    /// A block each.
    pub subscription: Subscription<M, Bytes>,
}

impl<M> Clone for App<M> {
    fn clone(&self) -> Self {
        Self {
            about: Arc::clone(&self.about),
            limits: self.limits,
            timing: self.timing,
            hub: Arc::clone(&self.hub),
            encode: self.encode,
            feed: Arc::clone(&self.feed),
        }
    }
}

impl<M: Clone> App<M> {
    /// `framework` is its package's name and version; `encode` makes a text message of JSON, which is UTF-8:
    /// it should share the bytes, not copy them, if the framework can.
    #[must_use]
    pub fn new(
        contender: &str,
        framework: (&str, &str),
        settings: &Settings,
        encode: fn(Bytes) -> M,
    ) -> Self {
        let (framework, version) = framework;
        Self {
            about: Arc::new(About {
                contender: contender.to_owned(),
                framework: framework.to_owned(),
                version: version.to_owned(),
                workers: settings.workers.get(),
            }),
            limits: settings.limits,
            timing: settings.timing,
            hub: Arc::new(Hub::new(settings.limits.replay_window, encode)),
            encode,
            feed: Arc::default(),
        }
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How long things are waited for.
    #[must_use]
    pub fn timing(&self) -> Timing {
        self.timing
    }

    /// The hub, for a contender that is not built on futures.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub<M>> {
        &self.hub
    }

    /// `GET /`.
    #[must_use]
    pub fn about(&self) -> Answer {
        Answer::json(200, &*self.about)
    }

    /// `GET /stats`.
    #[must_use]
    pub fn stats(&self) -> Answer {
        Answer::json(200, &self.hub.stats())
    }

    /// `GET /xhr?count=N`: one step of a countdown. `query` is what follows the `?`, as it came.
    #[must_use]
    pub fn xhr(&self, query: Option<&str>) -> Answer {
        let value = parameter(query, "count").unwrap_or_default();
        match whole_number(&value) {
            Some(count @ 1..=MAX_COUNT) => Answer::json(200, &Countdown { count: count - 1 }),
            _ => Refusal::BadQuery { name: "count", value, expected: "a whole number from 1 to 2^53" }.into(),
        }
    }

    /// `WS /ws/countdown`: the answer to a text message.
    ///
    /// # Errors
    /// [`Refusal::NotCount`].
    pub fn countdown(&self, text: &str) -> Result<String, Refusal> {
        countdown::step(text)
    }

    /// `POST /publish?event=NAME`. `query` is what follows the `?`, as it came.
    #[must_use]
    pub fn publish(&self, query: Option<&str>, body: &[u8]) -> Answer {
        match self.try_publish(query, body) {
            Ok(receipt) => Answer::json(202, &receipt),
            Err(refusal) => refusal.into(),
        }
    }

    /// A text message on `WS /ws/broadcast`.
    ///
    /// # Errors
    /// [`Refusal::TooBig`].
    pub fn publish_text(&self, text: &str) -> Result<Receipt, Refusal> {
        self.check_size(text.len())?;
        Ok(self.hub.publish(None, text))
    }

    /// `413` for a body over the limit: for frameworks that stop reading it themselves.
    #[must_use]
    pub fn publication_too_big(&self) -> Refusal {
        Refusal::TooBig { limit_bytes: self.limits.publication_bytes }
    }

    /// The close of an echo message over the limit.
    #[must_use]
    pub fn echo_too_big(&self) -> Refusal {
        Refusal::TooBig { limit_bytes: self.limits.echo_bytes }
    }

    /// `WS /ws/broadcast?after=ID`: publications after ID first, then each as it comes.
    ///
    /// # Errors
    /// [`Refusal::BadQuery`] if `after` is no number; say it before the handshake is answered.
    pub fn subscribe(&self, query: Option<&str>) -> Result<Subscription<M>, Refusal> {
        Ok(self.hub.subscribe(after(query, None)?))
    }

    /// `GET /sse?after=ID`, with the header `Last-Event-ID` if there is one.
    ///
    /// # Errors
    /// [`Refusal::BadQuery`] if either is no number.
    pub fn sse(&self, query: Option<&str>, last_event_id: Option<&[u8]>) -> Result<EventStream<M>, Refusal> {
        let after = after(query, last_event_id)?;
        let pick = |publication: &Publication<M>| publication.event.clone();
        Ok(EventStream {
            first: format!("retry: {}\n\n", self.timing.retry_ms).into(),
            subscription: self.hub.subscribe_as(Transport::Sse, after, pick),
        })
    }

    /// `GET /poll?after=ID`, to be waited for.
    ///
    /// # Errors
    /// [`Refusal::BadQuery`] if `after` is no number.
    pub fn poll(&self, query: Option<&str>) -> Result<Poll<M>, Refusal> {
        let subscription = self.hub.subscribe_as(Transport::LongPoll, after(query, None)?, |_| ());
        Ok(Poll::new(subscription, self.limits.poll_bytes))
    }

    /// `GET /feed`.
    #[must_use]
    pub fn feed(&self) -> Answer {
        Answer { status: 200, body: Feed::get().array() }
    }

    /// `GET /feed/sse?after=ID`, with the header `Last-Event-ID` if there is one: the blocks that are sent. If there
    /// are none the answer is [`Answer::no_content`].
    ///
    /// # Errors
    /// [`Refusal::BadQuery`] if either is no number.
    pub fn feed_sse(
        &self,
        query: Option<&str>,
        last_event_id: Option<&[u8]>,
    ) -> Result<&'static [Bytes], Refusal> {
        Ok(Feed::get().events(after(query, last_event_id)?.unwrap_or(0)))
    }

    /// `WS /feed/ws`: the messages that are sent.
    #[must_use]
    pub fn feed_messages(&self) -> &[M] {
        self.feed.get_or_init(|| Feed::get().items().iter().cloned().map(self.encode).collect())
    }

    fn try_publish(&self, query: Option<&str>, body: &[u8]) -> Result<Receipt, Refusal> {
        self.check_size(body.len())?;
        let text = str::from_utf8(body).map_err(|_| Refusal::NotUtf8)?;
        let event = parameter(query, "event");
        if let Some(value) = event.as_ref().filter(|name| !is_event_name(name)) {
            return Err(Refusal::BadQuery {
                name: "event",
                value: value.clone(),
                expected: "1 to 128 bytes without control characters, and neither open nor error",
            });
        }
        Ok(self.hub.publish(event.as_deref(), text))
    }

    fn check_size(&self, bytes: usize) -> Result<(), Refusal> {
        if bytes > self.limits.publication_bytes { Err(self.publication_too_big()) } else { Ok(()) }
    }
}
