use std::sync::Arc;

use crate::{About, Answer, Countdown, Hub, Limits, Receipt, Refusal, Settings, Subscription, Transport};

/// Where a countdown may begin: beyond, JSON's numbers are no longer exact in every language (RFC 8259, section 6).
const MAX_COUNT: u64 = 1 << 53;

/// Everything a contender's handlers share. `M` is a publication as the framework sends it over a
/// WebSocket: made once, then cloned for each subscriber, so cloning it must not copy the text.
#[derive(Debug)]
pub struct App<M> {
    about: Arc<About>,
    limits: Limits,
    hub: Arc<Hub<M>>,
}

impl<M> Clone for App<M> {
    fn clone(&self) -> Self {
        Self { about: Arc::clone(&self.about), limits: self.limits, hub: Arc::clone(&self.hub) }
    }
}

impl<M: Clone> App<M> {
    /// `framework` is its package's name and version; `encode` makes a message of a publication's JSON.
    #[must_use]
    pub fn new(
        contender: &str,
        framework: (&str, &str),
        settings: &Settings,
        encode: fn(String) -> M,
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
            hub: Arc::new(Hub::new(settings.limits.replay_window, encode)),
        }
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
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
        match value.parse::<u64>() {
            Ok(count @ 1..=MAX_COUNT) => Answer::json(200, &Countdown { count: count - 1 }),
            _ => Refusal::BadQuery { name: "count", value, expected: "a whole number from 1 to 2^53" }.into(),
        }
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
    pub fn subscribe(&self, transport: Transport, query: Option<&str>) -> Result<Subscription<M>, Refusal> {
        let after = match parameter(query, "after") {
            None => None,
            // Too long for 64 bits is yet to come.
            Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(text.parse().unwrap_or(u64::MAX))
            }
            Some(value) => {
                let expected = "the id of a publication, a whole number";
                return Err(Refusal::BadQuery { name: "after", value, expected });
            }
        };
        Ok(self.hub.subscribe(transport, after))
    }

    fn try_publish(&self, query: Option<&str>, body: &[u8]) -> Result<Receipt, Refusal> {
        self.check_size(body.len())?;
        let text = str::from_utf8(body).map_err(|_| Refusal::NotUtf8)?;
        let event = parameter(query, "event");
        // An event's name is a line of its own in an event stream: a line break would forge another field.
        if let Some(value) =
            event.as_ref().filter(|name| name.is_empty() || name.contains(['\r', '\n', '\0']))
        {
            return Err(Refusal::BadQuery {
                name: "event",
                value: value.clone(),
                expected: "a name without line breaks",
            });
        }
        Ok(self.hub.publish(event.as_deref(), text))
    }

    fn check_size(&self, bytes: usize) -> Result<(), Refusal> {
        if bytes > self.limits.publication_bytes { Err(self.publication_too_big()) } else { Ok(()) }
    }
}

/// The first value of `name` in a query string.
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
