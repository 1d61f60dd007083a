//! warp 0.4, filter by filter as its documentation composes them.

mod ws;

use std::convert::Infallible;
use std::io;
use std::pin::pin;

use contract::{Answer, Refusal, Settings, Transport, is_handshake_key};
use futures_util::{Stream, StreamExt};
use tokio::net::TcpListener;
use warp::filters::path::FullPath;
use warp::http::header::CONTENT_TYPE;
use warp::reject::{MethodNotAllowed, Rejection};
use warp::reply::Response;
use warp::ws::{Message, WebSocket, Ws};
use warp::{Buf, Filter, Reply};

type App = contract::App<Message>;

fn main() -> io::Result<()> {
    let settings = Settings::from_args();
    let version = launch::version_of("warp", env!("CARGO_PKG_NAME"));
    let app = App::new("warp", ("warp", version), &settings, Message::text);
    launch::run(&settings, |listener| serve(listener, app))
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
    let broadcast = warp::path!("ws" / "broadcast").and(handshake).and(query).and(app).then(broadcast);
    exact().and(about.or(stats).or(xhr).or(publish).or(echo).or(broadcast)).recover(refuse)
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
    match app.subscribe(Transport::WebSocket, query.as_deref()) {
        Ok(subscription) => upgrade(handshake, &key, limit, |ws| ws::broadcast(ws, app, subscription)),
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
    warp::http::Response::builder()
        .status(status)
        .header(CONTENT_TYPE, Answer::CONTENT_TYPE)
        .body(body.into())
        .expect("the contract has only valid statuses")
}
