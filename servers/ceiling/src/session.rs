use bytes::Bytes;
use contract::{Lagged, Refusal, Subscription};

use crate::CeilingApp;
use crate::http::{Http, Next};
use crate::output::Output;
use crate::websocket::{Incoming, Messages, push_close};

/// What is said on one connection, without its socket: bytes come in, bytes go out, and how those that
/// come in are cut changes nothing.
#[derive(Debug)]
pub(crate) enum Session {
    /// Requests; each connection begins with them.
    Http(Http),
    /// `WS /ws/echo`.
    Echo(Messages),
    /// `WS /ws/broadcast`.
    Broadcast(Messages, Subscription<Bytes>),
    /// All has been said; what still comes in is not heard.
    Done,
}

impl Session {
    pub(crate) fn new() -> Self {
        Self::Http(Http::default())
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    pub(crate) fn is_subscribed(&self) -> bool {
        matches!(self, Self::Broadcast(..))
    }

    /// Hears `input`, which is unmasked in place, and answers.
    pub(crate) fn on_bytes(&mut self, input: &mut [u8], app: &CeilingApp, output: &mut Output) {
        let open = match self {
            Self::Http(http) => match http.on_bytes(input, app, output) {
                Next::Request => Ok(true),
                Next::Close => Ok(false),
                Next::Upgrade(session, mut rest) => {
                    *self = session;
                    return self.on_bytes(&mut rest, app, output);
                }
            },
            Self::Echo(messages) => echo(messages, input, output),
            Self::Broadcast(messages, _) => publish(messages, input, app, output),
            Self::Done => return,
        };
        match open {
            Ok(true) => {}
            Ok(false) => *self = Self::Done,
            Err(refusal) => self.refuse(&refusal, output),
        }
    }

    /// Says the next publications of a subscriber, as many as go out at once.
    pub(crate) fn deliver(&mut self, output: &mut Output) {
        let Self::Broadcast(_, subscription) = self else { return };
        while output.has_room() {
            match subscription.try_next() {
                Ok(Some(publication)) => output.share(publication),
                Ok(None) => return,
                Err(lagged) => return self.refuse(&lagged.into(), output),
            }
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
            Self::Echo(messages) | Self::Broadcast(messages, _) => messages.held_bytes(),
            Self::Done => 0,
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
