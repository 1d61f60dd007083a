use std::borrow::Cow;
use std::io::Write as _;

use bytes::Bytes;
use contract::{Answer, EventStream, Poll, Refusal, Route};
use framing::accept_key;

use crate::CeilingApp;
use crate::chunked::Chunked;
use crate::output::Output;
use crate::request::{BadHead, BodyLength, Head, MAX_HEAD_BYTES};
use crate::session::Session;
use crate::stream::{push_chunk, push_head, push_last_chunk};
use crate::websocket::{Messages, push_done};

/// The HTTP part of a connection: requests, each answered as soon as it has come whole.
///
/// Between requests it holds no buffer; within one, no more than a head or a body and their limits.
#[derive(Debug, Default)]
pub(crate) struct Http {
    /// What has come of a head or of a body.
    pending: Vec<u8>,
    /// A request whose head has come, but not all of its body.
    unfinished: Option<Box<Unfinished>>,
    /// The client has asked for the connection to be closed after the poll that waits.
    last: bool,
}

/// A request that has come whole: its head and its body.
type Request<'a> = (Head, Cow<'a, [u8]>);

/// What becomes of the connection.
#[derive(Debug)]
pub(crate) enum Next {
    /// Another request, or the rest of this one.
    Request,
    /// A WebSocket or an event stream, and what has already come over it.
    Session(Session, Vec<u8>),
    /// Nothing yet: there are no publications to answer with.
    Poll(Poll<Bytes>),
    /// Nothing: it is to be closed.
    Close,
}

impl Http {
    pub(crate) fn on_bytes(&mut self, input: &[u8], app: &CeilingApp, output: &mut Output) -> Next {
        let mut pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            let mut unread = input;
            return self.answer_all(&mut unread, app, output).keeping(unread, &mut self.pending);
        }
        pending.extend_from_slice(input);
        // Without another line a head has not ended: reading it again would make slow senders costly. Without any
        // input a poll has been answered, and what is pending came meanwhile.
        if self.unfinished.is_none()
            && !input.is_empty()
            && !input.contains(&b'\n')
            && pending.len() < MAX_HEAD_BYTES
        {
            self.pending = pending;
            return Next::Request;
        }
        let mut unread = pending.as_slice();
        self.answer_all(&mut unread, app, output).keeping(unread, &mut self.pending)
    }

    /// Answers each request that has come whole, and leaves `bytes` at what has not.
    fn answer_all(&mut self, bytes: &mut &[u8], app: &CeilingApp, output: &mut Output) -> Next {
        loop {
            match self.next_request(bytes, app, output) {
                Ok(Some((head, body))) => {
                    self.last = !head.keep_alive;
                    match answer(&head, &body, app, output) {
                        Next::Request => {}
                        other => return other,
                    }
                }
                Ok(None) => return Next::Request,
                Err(refusal) => {
                    push_answer(output, &refusal, true, false);
                    return Next::Close;
                }
            }
        }
    }

    /// The next request, if it has come whole.
    fn next_request<'a>(
        &mut self,
        bytes: &mut &'a [u8],
        app: &CeilingApp,
        output: &mut Output,
    ) -> Result<Option<Request<'a>>, Answer> {
        let mut request = match self.unfinished.take() {
            Some(unfinished) => *unfinished,
            None => {
                let Some((head, length)) = Head::parse(bytes).map_err(refuse_head)? else { return Ok(None) };
                *bytes = &bytes[length..];
                Unfinished::begin(head, app, output)?
            }
        };
        match request.read_body(bytes)? {
            Some(body) => Ok(Some((request.head, body))),
            None => {
                self.unfinished = Some(Box::new(request));
                Ok(None)
            }
        }
    }

    /// Keeps what comes while a poll waits, as much as a head may have; `false` if it is more.
    pub(crate) fn hold(&mut self, input: &[u8]) -> bool {
        self.pending.extend_from_slice(input);
        self.pending.len() <= MAX_HEAD_BYTES
    }

    /// Answers the poll that has waited. May there be another request?
    pub(crate) fn answer_poll(&mut self, answer: &Answer, output: &mut Output) -> bool {
        push_answer(output, answer, true, !self.last);
        !self.last
    }

    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        let body = match self.unfinished.as_ref().map(|request| &request.body) {
            Some(Body::Chunked(chunked)) => chunked.held_bytes(),
            _ => 0,
        };
        self.pending.capacity() + body
    }
}

impl Next {
    fn keeping(self, unread: &[u8], pending: &mut Vec<u8>) -> Self {
        match self {
            Self::Request => *pending = unread.to_vec(),
            Self::Session(session, _) => return Self::Session(session, unread.to_vec()),
            Self::Poll(_) => *pending = unread.to_vec(),
            Self::Close => {}
        }
        self
    }
}

#[derive(Debug)]
struct Unfinished {
    head: Head,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// Of so many bytes.
    Plain(usize),
    Chunked(Chunked),
}

impl Unfinished {
    /// Refuses a body over the limit before it comes.
    fn begin(head: Head, app: &CeilingApp, output: &mut Output) -> Result<Self, Answer> {
        let limit_bytes = app.limits().publication_bytes;
        let body = match head.body {
            BodyLength::Bytes(length) => match usize::try_from(length) {
                Ok(length) if length <= limit_bytes => Body::Plain(length),
                _ => return Err(head.route.err().unwrap_or_else(|| app.publication_too_big()).into()),
            },
            BodyLength::Chunked => Body::Chunked(Chunked::new(limit_bytes)),
        };
        if head.expects_continue {
            output.tail().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        Ok(Self { head, body })
    }

    /// The body, if all of it has come; `bytes` is left at what was not read.
    fn read_body<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Cow<'a, [u8]>>, Refusal> {
        match &mut self.body {
            Body::Plain(length) => {
                let Some((body, rest)) = bytes.split_at_checked(*length) else { return Ok(None) };
                *bytes = rest;
                Ok(Some(body.into()))
            }
            Body::Chunked(chunked) => {
                let read = chunked.read(bytes)?;
                *bytes = &bytes[read..];
                Ok(chunked.take_body().map(Cow::from))
            }
        }
    }
}

fn refuse_head(bad: BadHead) -> Answer {
    let not_http = Answer::from(Refusal::NotHttp);
    match bad {
        BadHead::NotHttp => not_http,
        // RFC 6585, section 5.
        BadHead::TooLong => Answer { status: 431, ..not_http },
    }
}

fn answer(head: &Head, body: &[u8], app: &CeilingApp, output: &mut Output) -> Next {
    let answer = match try_answer(head, body, app, output) {
        Ok(Reply::Answer(answer)) => answer,
        Ok(Reply::Next(next)) => return next,
        Err(refusal) => refusal.into(),
    };
    push_answer(output, &answer, head.wants_body, head.keep_alive);
    if head.keep_alive { Next::Request } else { Next::Close }
}

enum Reply {
    Answer(Answer),
    /// It has been answered, or is to be later.
    Next(Next),
}

fn try_answer(head: &Head, body: &[u8], app: &CeilingApp, output: &mut Output) -> Result<Reply, Refusal> {
    let query = head.query.as_deref();
    let last_event_id = head.last_event_id.as_deref();
    Ok(Reply::Answer(match head.route.clone()? {
        Route::About => app.about(),
        Route::Stats => app.stats(),
        Route::Xhr => app.xhr(query),
        Route::Publish => app.publish(query, body),
        Route::Feed => app.feed(),
        Route::Poll => {
            let mut poll = app.poll(query)?;
            match poll.try_answer() {
                Some(answer) => answer,
                None => return Ok(Reply::Next(Next::Poll(poll))),
            }
        }
        Route::Sse => {
            let EventStream { first, subscription } = app.sse(query, last_event_id)?;
            push_head(output, head.keep_alive);
            push_chunk(output, first);
            return Ok(Reply::Next(Next::Session(Session::Events(subscription), Vec::new())));
        }
        Route::FeedSse => match app.feed_sse(query, last_event_id)? {
            [] => Answer::no_content(),
            events => {
                push_head(output, head.keep_alive);
                for event in events {
                    push_chunk(output, event.clone());
                }
                push_last_chunk(output);
                return Ok(Reply::Next(if head.keep_alive { Next::Request } else { Next::Close }));
            }
        },
        route @ (Route::Echo | Route::Countdown | Route::Broadcast | Route::FeedWs) => {
            let session = open_websocket(route, head, app, output)?;
            return Ok(Reply::Next(Next::Session(session, Vec::new())));
        }
    }))
}

fn open_websocket(
    route: Route,
    head: &Head,
    app: &CeilingApp,
    output: &mut Output,
) -> Result<Session, Refusal> {
    let key = head.websocket_key.as_deref().ok_or(Refusal::NotUpgrade)?;
    let limits = app.limits();
    let session = match route {
        Route::Broadcast => {
            let subscription = app.subscribe(head.query.as_deref())?;
            Session::Broadcast(Messages::new(limits.publication_bytes), subscription)
        }
        Route::Countdown => Session::Countdown(Messages::new(limits.publication_bytes)),
        Route::FeedWs => Session::Last,
        _ => Session::Echo(Messages::new(limits.echo_bytes)),
    };
    let accept = accept_key(key);
    output.tail().extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n");
    output.tail().extend_from_slice(b"Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    output.tail().extend_from_slice(accept.as_bytes());
    output.tail().extend_from_slice(b"\r\n\r\n");
    if route == Route::FeedWs {
        for item in app.feed_messages() {
            output.share(item.clone());
        }
        push_done(output.tail());
    }
    Ok(session)
}

/// There is no `Date`: this server has no clock (RFC 9110, section 6.6.1).
fn push_answer(output: &mut Output, answer: &Answer, with_body: bool, keep_alive: bool) {
    let Answer { status, body } = answer;
    let reason = match status {
        200 => "OK",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        _ => "",
    };
    let connection = if keep_alive { "" } else { "Connection: close\r\n" };
    // Writing to a vector cannot fail.
    let _ = write!(output.tail(), "HTTP/1.1 {status} {reason}\r\n{connection}");
    // A 204 has neither (RFC 9110, section 8.6).
    if *status != 204 {
        let (kind, length) = (Answer::CONTENT_TYPE, body.len());
        let _ = write!(output.tail(), "Content-Type: {kind}\r\nContent-Length: {length}\r\n");
    }
    output.tail().extend_from_slice(b"\r\n");
    if with_body {
        output.push(body.clone());
    }
}
