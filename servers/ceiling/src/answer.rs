use std::io::Write as _;

use contract::{Answer, EventStream, Refusal, Route};
use framing::accept_key;

use crate::CeilingApp;
use crate::http::Next;
use crate::output::Output;
use crate::request::Head;
use crate::session::Session;
use crate::stream::{push_chunk, push_head, push_last_chunk};
use crate::websocket::{Messages, push_done};

/// Answers a request that has come whole.
pub(crate) fn answer(head: &Head, body: &[u8], app: &CeilingApp, output: &mut Output) -> Next {
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
pub(crate) fn push_answer(output: &mut Output, answer: &Answer, with_body: bool, keep_alive: bool) {
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
