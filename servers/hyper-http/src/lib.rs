//! The contract's HTTP on hyper 1, for contenders that differ in their WebSockets alone.

use std::convert::Infallible;

use bytes::Bytes;
use contract::{Answer, App, EVENT_STREAM_HEADERS, Limits, Refusal, Route, Subscription};
use futures_util::stream::{Stream, StreamExt, iter};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use launch::Heartbeat;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// Of an answer: its bytes, or a stream of blocks.
pub type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, Infallible>>;

/// What is to go on over a WebSocket.
#[derive(Debug)]
pub enum Talk<M> {
    /// `WS /ws/echo`.
    Echo,
    /// `WS /ws/countdown`.
    Countdown,
    /// `WS /ws/broadcast`.
    Broadcast(Subscription<M>),
    /// `WS /feed/ws`.
    Feed,
}

impl<M> Talk<M> {
    /// The longest message that is read, in bytes.
    #[must_use]
    pub fn max_bytes(&self, limits: Limits) -> usize {
        if matches!(self, Self::Echo) { limits.echo_bytes } else { limits.publication_bytes }
    }
}

/// Serves the contract. `upgrade` answers an opening handshake, and has what follows go on by itself.
pub async fn serve<M, U>(listener: TcpListener, app: App<M>, upgrade: U)
where
    M: Clone + Send + Sync + 'static,
    U: Fn(Request<Incoming>, App<M>, Talk<M>) -> Result<Response<Body>, Refusal>,
    U: Clone + Send + Sync + 'static,
{
    loop {
        let stream = launch::accept(&listener).await;
        let (app, upgrade) = (app.clone(), upgrade.clone());
        let service = service_fn(move |request| routes(request, app.clone(), upgrade.clone()));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // It fails when a client leaves early or speaks no HTTP, and then hyper has answered what there is to answer.
        tokio::spawn(connection.with_upgrades());
    }
}

async fn routes<M>(
    request: Request<Incoming>,
    app: App<M>,
    upgrade: impl Fn(Request<Incoming>, App<M>, Talk<M>) -> Result<Response<Body>, Refusal>,
) -> Result<Response<Body>, Infallible>
where
    M: Clone + Send + Sync + 'static,
{
    let query = request.uri().query();
    let last_event_id = request.headers().get("last-event-id").map(HeaderValue::as_bytes);
    let answered = match Route::of(request.method().as_str(), request.uri().path()) {
        Ok(Route::About) => Ok(answer(app.about())),
        Ok(Route::Stats) => Ok(answer(app.stats())),
        Ok(Route::Xhr) => Ok(answer(app.xhr(query))),
        Ok(Route::Publish) => Ok(answer(publish(request, &app).await)),
        Ok(Route::Echo) => upgrade(request, app, Talk::Echo),
        Ok(Route::Countdown) => upgrade(request, app, Talk::Countdown),
        Ok(Route::Broadcast) => match app.subscribe(query) {
            Ok(subscription) => upgrade(request, app, Talk::Broadcast(subscription)),
            Err(refusal) => Err(refusal),
        },
        Ok(Route::Sse) => app
            .sse(query, last_event_id)
            .map(|events| stream(launch::event_stream(events, Heartbeat::new(app.timing())))),
        Ok(Route::Poll) => match app.poll(query) {
            Ok(poll) => Ok(answer(poll.answer(sleep(app.timing().poll_wait())).await)),
            Err(refusal) => Err(refusal),
        },
        Ok(Route::Feed) => Ok(answer(app.feed())),
        Ok(Route::FeedSse) => app.feed_sse(query, last_event_id).map(|events| match events {
            [] => answer(Answer::no_content()),
            events => stream(iter(events.iter().cloned())),
        }),
        Ok(Route::FeedWs) => upgrade(request, app, Talk::Feed),
        Err(refusal) => Err(refusal),
    };
    Ok(answered.unwrap_or_else(answer))
}

async fn publish<M: Clone>(request: Request<Incoming>, app: &App<M>) -> Answer {
    let (head, body) = request.into_parts();
    let limit = app.limits().publication_bytes;
    if body.size_hint().lower() > limit as u64 {
        return app.publication_too_big().into();
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => app.publish(head.uri.query(), &body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => app.publication_too_big().into(),
        Err(_) => Refusal::NotHttp.into(),
    }
}

fn answer(answer: impl Into<Answer>) -> Response<Body> {
    let Answer { status, body } = answer.into();
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = StatusCode::from_u16(status).expect("the contract has only valid statuses");
    if status != 204 {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Answer::CONTENT_TYPE));
    }
    response
}

fn stream(blocks: impl Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    let body = StreamBody::new(blocks.map(|block| Ok(Frame::data(block))));
    let mut response = Response::new(Either::Right(body.boxed_unsync()));
    for (name, value) in EVENT_STREAM_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
