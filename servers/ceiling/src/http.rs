use std::borrow::Cow;

use bytes::Bytes;
use contract::{Answer, Poll, Refusal};

use crate::CeilingApp;
use crate::answer::{answer, push_answer};
use crate::chunked::Chunked;
use crate::output::Output;
use crate::request::{BadHead, BodyLength, Head, MAX_HEAD_BYTES};
use crate::session::Session;

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
