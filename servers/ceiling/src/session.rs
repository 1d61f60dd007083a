use std::mem;
use std::time::Instant;

use bytes::Bytes;
use contract::{Answer, HEARTBEAT, Lagged, Poll, Refusal, Subscription};

use crate::CeilingApp;
use crate::http::{Http, Next};
use crate::output::Output;
use crate::stream::{push_chunk, push_last_chunk};
use crate::websocket::{Incoming, Messages, push_close, push_ping, push_text};

/// What is said on one connection, without its socket: bytes come in, bytes go out, and how those that
/// come in are cut changes nothing.
#[derive(Debug)]
pub(crate) enum Session {
    /// Requests; each connection begins with them.
    Http(Http),
    /// `WS /ws/echo`.
    Echo(Messages),
    /// `WS /ws/countdown`.
    Countdown(Messages),
    /// `WS /ws/broadcast`.
    Broadcast(Messages, Subscription<Bytes>),
    /// `GET /sse`: it lasts until the subscriber lags, so nothing that comes in is heard.
    Events(Subscription<Bytes, Bytes>),
    /// `GET /poll`, and when it ends; then requests again.
    Poll(Http, Poll<Bytes>, Instant),
    /// All has been said, but perhaps not yet sent; what still comes in is not heard.
    Last,
    /// The client knows, as far as it reads, why it is closed. It has a while to read it.
    Done,
}

impl Session {
    pub(crate) fn new() -> Self {
        Self::Http(Http::default())
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// What has been said has been sent.
    pub(crate) fn on_sent(&mut self) {
        if matches!(self, Self::Last) {
            *self = Self::Done;
        }
    }

    pub(crate) fn is_subscribed(&self) -> bool {
        matches!(self, Self::Broadcast(..) | Self::Events(_) | Self::Poll(..))
    }

    /// When the poll ends that waits here, if one does.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Poll(.., deadline) => Some(*deadline),
            _ => None,
        }
    }

    /// Hears `input`, which is unmasked in place, and answers.
    pub(crate) fn on_bytes(&mut self, input: &mut [u8], app: &CeilingApp, output: &mut Output) {
        let open = match self {
            Self::Http(http) => match http.on_bytes(input, app, output) {
                Next::Request => Ok(true),
                Next::Close => Ok(false),
                Next::Session(session, mut rest) => {
                    *self = session;
                    return self.on_bytes(&mut rest, app, output);
                }
                Next::Poll(poll) => return self.wait(poll, app),
            },
            Self::Echo(messages) => echo(messages, input, output),
            Self::Broadcast(messages, _) => publish(messages, input, app, output),
            Self::Countdown(messages) => countdown(messages, input, app, output),
            Self::Poll(http, ..) => Ok(http.hold(input)),
            Self::Events(_) | Self::Last | Self::Done => return,
        };
        match open {
            Ok(true) => {}
            Ok(false) => *self = Self::Last,
            Err(refusal) => self.refuse(&refusal, output),
        }
    }

    /// Says the next publications to a subscriber, as many as go out at once.
    pub(crate) fn deliver(&mut self, app: &CeilingApp, output: &mut Output) {
        while output.has_room() {
            match self {
                Self::Broadcast(_, subscription) => match subscription.try_next() {
                    Ok(Some(publication)) => output.share(publication),
                    Ok(None) => return,
                    Err(lagged) => return self.refuse(&lagged.into(), output),
                },
                Self::Events(subscription) => match subscription.try_next() {
                    Ok(Some(block)) => push_chunk(output, block),
                    Ok(None) => return,
                    Err(_) => {
                        push_last_chunk(output);
                        *self = Self::Last;
                    }
                },
                Self::Poll(_, poll, _) => match poll.try_answer() {
                    Some(answer) => self.answer_poll(&answer, app, output),
                    None => return,
                },
                _ => return,
            }
        }
    }

    /// Ends a poll whose time is over.
    pub(crate) fn give_up_poll(&mut self, now: Instant, app: &CeilingApp, output: &mut Output) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.answer_poll(&Answer::no_content(), app, output);
        }
    }

    /// Sends a subscriber something, so that its absence would be noticed.
    pub(crate) fn heartbeat(&self, output: &mut Output) {
        match self {
            Self::Broadcast(..) => push_ping(output.tail()),
            Self::Events(_) => push_chunk(output, HEARTBEAT),
            _ => {}
        }
    }

    fn wait(&mut self, poll: Poll<Bytes>, app: &CeilingApp) {
        if let Self::Http(http) = self {
            *self = Self::Poll(mem::take(http), poll, Instant::now() + app.timing().poll_wait());
        }
    }

    /// Answers the poll, and then what has come meanwhile.
    fn answer_poll(&mut self, answer: &Answer, app: &CeilingApp, output: &mut Output) {
        if let Self::Poll(http, ..) = self {
            let keep_alive = http.answer_poll(answer, output);
            *self = if keep_alive { Self::Http(mem::take(http)) } else { Self::Last };
            self.on_bytes(&mut [], app, output);
        }
    }

    /// For a subscriber that takes nothing at the moment.
    pub(crate) fn check_lag(&mut self) -> Result<(), Lagged> {
        match self {
            Self::Broadcast(_, subscription) => subscription.check_lag(),
            _ => Ok(()),
        }
    }

    /// Ends a WebSocket with a close frame.
    pub(crate) fn refuse(&mut self, refusal: &Refusal, output: &mut Output) {
        push_close(output.tail(), refusal);
        *self = Self::Done;
    }

    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Http(http) => http.held_bytes(),
            Self::Poll(http, ..) => http.held_bytes(),
            Self::Echo(messages) | Self::Countdown(messages) | Self::Broadcast(messages, _) => {
                messages.held_bytes()
            }
            Self::Events(_) | Self::Last | Self::Done => 0,
        }
    }
}

/// Sends each message back; `false` after a close.
fn echo(messages: &mut Messages, mut input: &mut [u8], output: &mut Output) -> Result<bool, Refusal> {
    while let Some(incoming) = messages.next(&mut input, output)? {
        let Incoming::Message { text, payload } = incoming else { return Ok(false) };
        if text {
            payload.text()?;
        }
        payload.echo(text, output);
    }
    Ok(true)
}

/// Answers each message; `false` after a close.
fn countdown(
    messages: &mut Messages,
    mut input: &mut [u8],
    app: &CeilingApp,
    output: &mut Output,
) -> Result<bool, Refusal> {
    while let Some(incoming) = messages.next(&mut input, output)? {
        match incoming {
            Incoming::Message { text: true, payload } => {
                push_text(output.tail(), &app.countdown(payload.text()?)?);
            }
            Incoming::Message { text: false, .. } => return Err(Refusal::NotText),
            Incoming::Closed => return Ok(false),
        }
    }
    Ok(true)
}

/// Publishes each message; `false` after a close.
fn publish(
    messages: &mut Messages,
    mut input: &mut [u8],
    app: &CeilingApp,
    output: &mut Output,
) -> Result<bool, Refusal> {
    while let Some(incoming) = messages.next(&mut input, output)? {
        match incoming {
            Incoming::Message { text: true, payload } => app.publish_text(payload.text()?)?,
            Incoming::Message { text: false, .. } => return Err(Refusal::NotText),
            Incoming::Closed => return Ok(false),
        };
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
