//! hyper 1, joined with WebSockets as the documentation of hyper-tungstenite does it.

mod ws;

use std::convert::Infallible;
use std::io;

use contract::{Answer, EVENT_STREAM_HEADERS, Refusal, Route, Settings, is_handshake_key};
use futures_util::stream::{Stream, StreamExt, iter};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Body as _, Bytes, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue, SEC_WEBSOCKET_KEY};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_tungstenite::tungstenite::Message;
use hyper_tungstenite::tungstenite::protocol::WebSocketConfig;
use hyper_tungstenite::{HyperWebsocketStream, is_upgrade_request};
use hyper_util::rt::TokioIo;
use launch::Heartbeat;
use tokio::net::TcpListener;
use tokio::time::sleep;

type App = contract::App<Message>;
type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, Infallible>>;

fn main() -> io::Result<()> {
    let settings = Settings::from_args();
    let version = launch::version_of("hyper", env!("CARGO_PKG_NAME"));
    let app = App::new("hyper", ("hyper", version), &settings, text);
    launch::run(&settings, |listener| serve(listener, app))
}

/// A text message that shares the JSON.
fn text(json: Bytes) -> Message {
    Message::Text(json.try_into().expect("JSON is UTF-8"))
}

async fn serve(listener: TcpListener, app: App) {
    loop {
        let stream = launch::accept(&listener).await;
        let app = app.clone();
        let service = service_fn(move |request| routes(request, app.clone()));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        // It fails when a client leaves early or speaks no HTTP, and then hyper has answered what there is to answer.
        tokio::spawn(connection.with_upgrades());
    }
}

async fn routes(request: Request<Incoming>, app: App) -> Result<Response<Body>, Infallible> {
    let query = request.uri().query();
    let last_event_id = request.headers().get("last-event-id").map(HeaderValue::as_bytes);
    let publication_bytes = app.limits().publication_bytes;
    let answered = match Route::of(request.method().as_str(), request.uri().path()) {
        Ok(Route::About) => Ok(answer(app.about())),
        Ok(Route::Stats) => Ok(answer(app.stats())),
        Ok(Route::Xhr) => Ok(answer(app.xhr(query))),
        Ok(Route::Publish) => Ok(answer(publish(request, &app).await)),
        Ok(Route::Echo) => upgrade(request, app.limits().echo_bytes, ws::echo),
        Ok(Route::Countdown) => upgrade(request, publication_bytes, |ws| ws::countdown(ws, app)),
        Ok(Route::Broadcast) => app.subscribe(query).and_then(|subscription| {
            upgrade(request, publication_bytes, |ws| ws::broadcast(ws, app, subscription))
        }),
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
        Ok(Route::FeedWs) => upgrade(request, publication_bytes, |ws| ws::feed(ws, app)),
        Err(refusal) => Err(refusal),
    };
    Ok(answered.unwrap_or_else(answer))
}

async fn publish(request: Request<Incoming>, app: &App) -> Answer {
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

/// Answers the opening handshake, and has `talk` go on with the connection when the answer is out.
fn upgrade<F>(
    mut request: Request<Incoming>,
    max_bytes: usize,
    talk: impl FnOnce(HyperWebsocketStream) -> F + Send + 'static,
) -> Result<Response<Body>, Refusal>
where
    F: Future<Output = ()> + Send + 'static,
{
    let key = request.headers().get(SEC_WEBSOCKET_KEY);
    if !is_upgrade_request(&request) || !key.is_some_and(|key| is_handshake_key(key.as_bytes())) {
        return Err(Refusal::NotUpgrade);
    }
    let config = WebSocketConfig::default().max_message_size(Some(max_bytes)).max_frame_size(Some(max_bytes));
    let (response, websocket) =
        hyper_tungstenite::upgrade(&mut request, Some(config)).map_err(|_| Refusal::NotUpgrade)?;
    tokio::spawn(async move {
        if let Ok(ws) = websocket.await {
            talk(ws).await;
        }
    });
    Ok(response.map(Either::Left))
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
