//! axum 0.8, with extractors and a router as its documentation teaches them.

mod ws;

use std::convert::Infallible;
use std::io;
use std::ops::Deref;

use axum::body::{Body, HttpBody as _};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, FromRequestParts, RawQuery, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use axum::routing::{MethodRouter, get, post};
use axum::{RequestExt as _, Router};
use bytes::Bytes;
use contract::{Answer, EVENT_STREAM_HEADERS, Refusal, is_handshake_key};
use futures_util::stream::{Stream, StreamExt, iter};
use launch::{Heartbeat, Variant};
use tokio::net::TcpListener;
use tokio::time::sleep;

#[derive(Clone)]
struct App {
    contract: contract::App<Message>,
    /// axum's default without.
    read_buffer_bytes: Option<usize>,
}

impl Deref for App {
    type Target = contract::App<Message>;

    fn deref(&self) -> &Self::Target {
        &self.contract
    }
}

fn main() -> io::Result<()> {
    let variant = Variant::from_args();
    let version = launch::version_of("axum", env!("CARGO_PKG_NAME"));
    let contract = contract::App::new(variant.name("axum"), ("axum", version), &variant.settings, text);
    let app = App { contract, read_buffer_bytes: variant.read_buffer_bytes };
    launch::run(&variant.settings, |listener| serve(listener, app))
}

/// A text message that shares the JSON.
fn text(json: Bytes) -> Message {
    Message::Text(json.try_into().expect("JSON is UTF-8"))
}

async fn serve(listener: TcpListener, app: App) {
    // It never returns, with an error or without.
    let _ = axum::serve(listener, routes(app)).await;
}

fn routes(app: App) -> Router {
    // axum has `get` answer HEAD as well.
    let only = |routes: MethodRouter<App>| routes.head(method_not_allowed);
    Router::new()
        .route("/", only(get(async |State(app): State<App>| answer(app.about()))))
        .route("/stats", only(get(async |State(app): State<App>| answer(app.stats()))))
        .route(
            "/xhr",
            only(get(async |RawQuery(query): RawQuery, State(app): State<App>| {
                answer(app.xhr(query.as_deref()))
            })),
        )
        .route("/publish", post(publish).layer(DefaultBodyLimit::max(app.limits().publication_bytes)))
        .route("/ws/echo", only(get(echo)))
        .route("/ws/countdown", only(get(countdown)))
        .route("/ws/broadcast", only(get(broadcast)))
        .route("/sse", only(get(sse)))
        .route("/poll", only(get(poll)))
        .route("/feed", only(get(async |State(app): State<App>| answer(app.feed()))))
        .route("/feed/sse", only(get(feed_sse)))
        .route("/feed/ws", only(get(feed_ws)))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(async || answer(Answer::not_found()))
        .with_state(app)
}

async fn method_not_allowed() -> Response<Body> {
    answer(Answer::method_not_allowed())
}

/// The body is extracted here, and not before: the extractor would wait for one that is too long.
async fn publish(RawQuery(query): RawQuery, State(app): State<App>, request: Request) -> Response<Body> {
    if request.body().size_hint().lower() > app.limits().publication_bytes as u64 {
        return answer(app.publication_too_big());
    }
    match request.extract::<Bytes, _>().await {
        Ok(body) => answer(app.publish(query.as_deref(), &body)),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            answer(app.publication_too_big())
        }
        Err(_) => answer(Refusal::NotHttp),
    }
}

async fn echo(State(app): State<App>, handshake: Handshake) -> Response<Body> {
    handshake.answer(app.limits().echo_bytes, ws::echo)
}

async fn countdown(State(app): State<App>, handshake: Handshake) -> Response<Body> {
    handshake.answer(app.limits().publication_bytes, |ws| ws::countdown(ws, app))
}

async fn feed_ws(State(app): State<App>, handshake: Handshake) -> Response<Body> {
    handshake.answer(app.limits().publication_bytes, |ws| ws::feed(ws, app))
}

async fn broadcast(
    RawQuery(query): RawQuery,
    State(app): State<App>,
    handshake: Handshake,
) -> Response<Body> {
    match app.subscribe(query.as_deref()) {
        Ok(subscription) => {
            handshake.answer(app.limits().publication_bytes, |ws| ws::broadcast(ws, app, subscription))
        }
        Err(refusal) => answer(refusal),
    }
}

async fn sse(headers: HeaderMap, RawQuery(query): RawQuery, State(app): State<App>) -> Response<Body> {
    match app.sse(query.as_deref(), last_event_id(&headers)) {
        Ok(events) => stream(launch::event_stream(events, Heartbeat::new(app.timing()))),
        Err(refusal) => answer(refusal),
    }
}

async fn poll(RawQuery(query): RawQuery, State(app): State<App>) -> Response<Body> {
    match app.poll(query.as_deref()) {
        Ok(poll) => answer(poll.answer(sleep(app.timing().poll_wait())).await),
        Err(refusal) => answer(refusal),
    }
}

async fn feed_sse(headers: HeaderMap, RawQuery(query): RawQuery, State(app): State<App>) -> Response<Body> {
    match app.feed_sse(query.as_deref(), last_event_id(&headers)) {
        Ok([]) => answer(Answer::no_content()),
        Ok(events) => stream(iter(events.iter().cloned())),
        Err(refusal) => answer(refusal),
    }
}

fn last_event_id(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get("last-event-id").map(HeaderValue::as_bytes)
}

/// A valid opening handshake: axum takes any key, the contract does not.
struct Handshake(WebSocketUpgrade);

impl FromRequestParts<App> for Handshake {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response<Body>> {
        let key = parts.headers.get("sec-websocket-key");
        let valid = key.is_some_and(|key| is_handshake_key(key.as_bytes()));
        match WebSocketUpgrade::from_request_parts(parts, app).await {
            Ok(upgrade) if valid => Ok(Self(match app.read_buffer_bytes {
                Some(bytes) => upgrade.read_buffer_size(bytes),
                None => upgrade,
            })),
            _ => Err(answer(Refusal::NotUpgrade)),
        }
    }
}

impl Handshake {
    /// Answers it, and has `talk` go on with the connection when the answer is out.
    fn answer<F>(self, max_bytes: usize, talk: impl FnOnce(WebSocket) -> F + Send + 'static) -> Response<Body>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.max_message_size(max_bytes).max_frame_size(max_bytes).on_upgrade(talk)
    }
}

fn answer(answer: impl Into<Answer>) -> Response<Body> {
    let Answer { status, body } = answer.into();
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).expect("the contract has only valid statuses");
    if status != 204 {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Answer::CONTENT_TYPE));
    }
    response
}

/// `axum::response::sse` would encode each event once a subscriber.
fn stream(blocks: impl Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    let mut response = Response::new(Body::from_stream(blocks.map(Ok::<_, Infallible>)));
    for (name, value) in EVENT_STREAM_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
