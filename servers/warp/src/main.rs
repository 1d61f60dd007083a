//! warp 0.4, filter by filter as its documentation composes them.

mod ws;

use std::convert::Infallible;
use std::io;
use std::pin::pin;

use bytes::Bytes;
use contract::{Answer, EVENT_STREAM_HEADERS, Refusal, Settings, is_handshake_key};
use futures_util::stream::{Stream, StreamExt, iter};
use launch::Heartbeat;
use tokio::net::TcpListener;
use tokio::time::sleep;
use warp::filters::path::FullPath;
use warp::http::StatusCode;
use warp::http::header::{CONTENT_TYPE, HeaderValue};
use warp::reject::{MethodNotAllowed, Rejection};
use warp::reply::Response;
use warp::ws::{Message, WebSocket, Ws};
use warp::{Buf, Filter, Reply};

type App = contract::App<Message>;

fn main() -> io::Result<()> {
    let settings = Settings::from_args();
    let version = launch::version_of("warp", env!("CARGO_PKG_NAME"));
    let app = App::new("warp", ("warp", version), &settings, text);
    launch::run(&settings, |listener| serve(listener, app))
}

/// A text message: warp makes it of a `String` only, so of a copy.
fn text(json: Bytes) -> Message {
    Message::text(String::from_utf8(json.into()).expect("JSON is UTF-8"))
}

async fn serve(listener: TcpListener, app: App) {
    warp::serve(routes(app)).incoming(listener).run().await;
}

fn routes(app: App) -> impl Filter<Extract = (impl Reply,), Error = Infallible> + Clone {
    let app = warp::any().map(move || app.clone());
    let query = warp::query::raw().map(Some).or(warp::any().map(|| None)).unify();

    let about = warp::path::end().and(warp::get()).and(app.clone()).map(|app: App| answer(app.about()));
    let stats = warp::path!("stats").and(warp::get()).and(app.clone()).map(|app: App| answer(app.stats()));
    let xhr = warp::path!("xhr")
        .and(warp::get())
        .and(query)
        .and(app.clone())
        .map(|query: Option<String>, app: App| answer(app.xhr(query.as_deref())));
    let publish = warp::path!("publish")
        .and(warp::post())
        .and(warp::header::optional("content-length"))
        .and(query)
        .and(warp::body::stream())
        .and(app.clone())
        .then(publish);
    let handshake = warp::ws().and(warp::header("sec-websocket-key"));
    let echo = warp::path!("ws" / "echo").and(handshake).and(app.clone()).then(echo);
    let countdown = warp::path!("ws" / "countdown").and(handshake).and(app.clone()).then(countdown);
    let broadcast =
        warp::path!("ws" / "broadcast").and(handshake).and(query).and(app.clone()).then(broadcast);
    let last_event_id = warp::header::value("last-event-id").map(Some).or(warp::any().map(|| None)).unify();
    let sse = warp::path!("sse").and(warp::get()).and(query).and(last_event_id).and(app.clone()).then(sse);
    let poll = warp::path!("poll").and(warp::get()).and(query).and(app.clone()).then(poll);
    let feed = warp::path!("feed").and(warp::get()).and(app.clone()).map(|app: App| answer(app.feed()));
    let feed_sse = warp::path!("feed" / "sse")
        .and(warp::get())
        .and(query)
        .and(last_event_id)
        .and(app.clone())
        .then(feed_sse);
    let feed_ws = warp::path!("feed" / "ws").and(handshake).and(app).then(feed_ws);
    let http = about.or(stats).or(xhr).or(publish).or(sse).or(poll).or(feed).or(feed_sse);
    let websocket = echo.or(countdown).or(broadcast).or(feed_ws);
    exact().and(http.or(websocket)).recover(refuse)
}

/// Without it warp reads `/stats/` as `/stats`.
fn exact() -> impl Filter<Extract = (), Error = Rejection> + Copy {
    let check = |path: FullPath| async move {
        let other = path.as_str() != "/" && path.as_str().ends_with('/');
        if other { Err(warp::reject::not_found()) } else { Ok(()) }
    };
    warp::path::full().and_then(check).untuple_one()
}

/// A body is capped while it is read: `warp::body::content_length_limit` would refuse one that comes in chunks.
async fn publish(
    length_bytes: Option<u64>,
    query: Option<String>,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
    app: App,
) -> Response {
    let limit = app.limits().publication_bytes;
    if length_bytes.is_some_and(|length| length > limit as u64) {
        return answer(app.publication_too_big());
    }
    let mut text = Vec::new();
    let mut body = pin!(body);
    while let Some(chunk) = body.next().await {
        let Ok(mut chunk) = chunk else { return answer(Refusal::NotHttp) };
        if text.len() + chunk.remaining() > limit {
            return answer(app.publication_too_big());
        }
        text.extend_from_slice(&chunk.copy_to_bytes(chunk.remaining()));
    }
    answer(app.publish(query.as_deref(), &text))
}

async fn echo(handshake: Ws, key: String, app: App) -> Response {
    upgrade(handshake, &key, app.limits().echo_bytes, ws::echo)
}

async fn broadcast(handshake: Ws, key: String, query: Option<String>, app: App) -> Response {
    let limit = app.limits().publication_bytes;
    match app.subscribe(query.as_deref()) {
        Ok(subscription) => upgrade(handshake, &key, limit, |ws| ws::broadcast(ws, app, subscription)),
        Err(refusal) => answer(refusal),
    }
}

async fn countdown(handshake: Ws, key: String, app: App) -> Response {
    upgrade(handshake, &key, app.limits().publication_bytes, |ws| ws::countdown(ws, app))
}

async fn feed_ws(handshake: Ws, key: String, app: App) -> Response {
    upgrade(handshake, &key, app.limits().publication_bytes, |ws| ws::feed(ws, app))
}

async fn sse(query: Option<String>, last_event_id: Option<HeaderValue>, app: App) -> Response {
    match app.sse(query.as_deref(), last_event_id.as_ref().map(HeaderValue::as_bytes)) {
        Ok(events) => stream(launch::event_stream(events, Heartbeat::new(app.timing()))),
        Err(refusal) => answer(refusal),
    }
}

async fn poll(query: Option<String>, app: App) -> Response {
    match app.poll(query.as_deref()) {
        Ok(poll) => answer(poll.answer(sleep(app.timing().poll_wait())).await),
        Err(refusal) => answer(refusal),
    }
}

async fn feed_sse(query: Option<String>, last_event_id: Option<HeaderValue>, app: App) -> Response {
    match app.feed_sse(query.as_deref(), last_event_id.as_ref().map(HeaderValue::as_bytes)) {
        Ok([]) => answer(Answer::no_content()),
        Ok(events) => stream(iter(events.iter().cloned())),
        Err(refusal) => answer(refusal),
    }
}

/// Answers the opening handshake, and has `talk` go on with the connection when the answer is out.
fn upgrade<F>(
    handshake: Ws,
    key: &str,
    max_bytes: usize,
    talk: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    if !is_handshake_key(key.as_bytes()) {
        return answer(Refusal::NotUpgrade);
    }
    handshake.max_message_size(max_bytes).max_frame_size(max_bytes).on_upgrade(talk).into_response()
}

/// A filter that does not match rejects the request; this tells what the rejections come to.
async fn refuse(rejection: Rejection) -> Result<Response, Infallible> {
    Ok(answer(if rejection.is_not_found() {
        Answer::not_found()
    } else if rejection.find::<MethodNotAllowed>().is_some() {
        Answer::method_not_allowed()
    } else {
        // All other filters that can reject are of the handshake.
        Refusal::NotUpgrade.into()
    }))
}

fn answer(answer: impl Into<Answer>) -> Response {
    let Answer { status, body } = answer.into();
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).expect("the contract has only valid statuses");
    if status != 204 {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Answer::CONTENT_TYPE));
    }
    response
}

/// `warp::sse` would encode each event once a subscriber.
fn stream(blocks: impl Stream<Item = Bytes> + Send + Sync + 'static) -> Response {
    let mut response = warp::reply::stream(blocks.map(Ok::<_, Infallible>)).into_response();
    for (name, value) in EVENT_STREAM_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
