//! salvo 1, with handlers and a router as its documentation teaches them.

mod ws;

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use contract::{Answer, EVENT_STREAM_HEADERS, Refusal, Settings, is_handshake_key};
use futures_util::stream::{Stream, StreamExt, iter};
use launch::Heartbeat;
use salvo::catcher::Catcher;
use salvo::conn::tcp::TcpAcceptor;
use salvo::http::header::{CONTENT_TYPE, HeaderValue, SEC_WEBSOCKET_KEY};
use salvo::http::{Body, ParseError, StatusCode};
use salvo::websocket::{Message, WebSocket, WebSocketUpgrade};
use salvo::{Depot, FlowCtrl, Request, Response, Router, Scribe, Server, Service, affix_state, handler};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Utf8Bytes;

type App = contract::App<Message>;

fn main() -> io::Result<()> {
    let settings = Settings::from_args();
    let version = launch::version_of("salvo", env!("CARGO_PKG_NAME"));
    let app = App::new("salvo", ("salvo", version), &settings, text);
    launch::run(&settings, |listener| serve(listener, app))
}

/// A text message that shares the JSON.
fn text(json: Bytes) -> Message {
    Message::text(Utf8Bytes::try_from(json).expect("JSON is UTF-8"))
}

async fn serve(listener: TcpListener, app: App) {
    let acceptor = TcpAcceptor::try_from(listener).expect("it listens at an address");
    let service = Service::new(routes(app)).hoop(exact).catcher(Catcher::new(refuse));
    Server::new(acceptor).serve(service).await;
}

fn routes(app: App) -> Router {
    Router::new()
        .hoop(affix_state::inject(app))
        .get(about)
        .push(Router::with_path("stats").get(stats))
        .push(Router::with_path("xhr").get(xhr))
        .push(Router::with_path("publish").post(publish))
        .push(Router::with_path("sse").get(sse))
        .push(Router::with_path("poll").get(poll))
        .push(Router::with_path("feed").get(feed))
        .push(Router::with_path("feed/sse").get(feed_sse))
        .push(Router::with_path("feed/ws").get(feed_ws))
        .push(Router::with_path("ws/echo").get(echo))
        .push(Router::with_path("ws/countdown").get(countdown))
        .push(Router::with_path("ws/broadcast").get(broadcast))
}

/// Without it salvo reads `/stats/` as `/stats`. A filter would do so too, but hides from salvo which methods a path has.
#[handler]
async fn exact(request: &mut Request, response: &mut Response, flow: &mut FlowCtrl) {
    let path = request.uri().path();
    if path != "/" && path.ends_with('/') {
        response.render(Reply(Answer::not_found()));
        flow.skip_rest();
    }
}

fn app(depot: &Depot) -> &App {
    depot.get_typed().expect("each route is below the hoop that puts it there")
}

#[handler]
async fn about(depot: &mut Depot) -> Reply {
    Reply(app(depot).about())
}

#[handler]
async fn stats(depot: &mut Depot) -> Reply {
    Reply(app(depot).stats())
}

#[handler]
async fn xhr(request: &mut Request, depot: &mut Depot) -> Reply {
    Reply(app(depot).xhr(request.uri().query()))
}

#[handler]
async fn publish(request: &mut Request, depot: &mut Depot) -> Result<Reply, Reply> {
    let app = app(depot);
    let limit = app.limits().publication_bytes;
    // salvo would wait for a body that its `Content-Length` says is too long.
    if Body::size_hint(request.body()).lower() > limit as u64 {
        return Err(app.publication_too_big().into());
    }
    let body = match request.payload_with_max_size(limit).await {
        Ok(body) => body.clone(),
        Err(ParseError::PayloadTooLarge) => return Err(app.publication_too_big().into()),
        Err(_) => return Err(Refusal::NotHttp.into()),
    };
    Ok(Reply(app.publish(request.uri().query(), &body)))
}

#[handler]
async fn sse(request: &mut Request, depot: &mut Depot, response: &mut Response) -> Result<(), Reply> {
    let app = app(depot);
    let events = app.sse(request.uri().query(), last_event_id(request))?;
    stream(response, launch::event_stream(events, Heartbeat::new(app.timing())));
    Ok(())
}

#[handler]
async fn poll(request: &mut Request, depot: &mut Depot) -> Result<Reply, Reply> {
    let app = app(depot);
    let waiting = app.poll(request.uri().query())?;
    Ok(Reply(waiting.answer(sleep(app.timing().poll_wait())).await))
}

#[handler]
async fn feed(depot: &mut Depot) -> Reply {
    Reply(app(depot).feed())
}

#[handler]
async fn feed_sse(request: &mut Request, depot: &mut Depot, response: &mut Response) -> Result<(), Reply> {
    match app(depot).feed_sse(request.uri().query(), last_event_id(request))? {
        [] => Err(Reply(Answer::no_content())),
        events => {
            stream(response, iter(events.iter().cloned()));
            Ok(())
        }
    }
}

#[handler]
async fn echo(request: &mut Request, depot: &mut Depot, response: &mut Response) -> Result<(), Reply> {
    upgrade(request, response, app(depot).limits().echo_bytes, ws::echo).await
}

#[handler]
async fn countdown(request: &mut Request, depot: &mut Depot, response: &mut Response) -> Result<(), Reply> {
    let app = app(depot).clone();
    upgrade(request, response, app.limits().publication_bytes, |ws| ws::countdown(ws, app)).await
}

#[handler]
async fn feed_ws(request: &mut Request, depot: &mut Depot, response: &mut Response) -> Result<(), Reply> {
    let app = app(depot).clone();
    upgrade(request, response, app.limits().publication_bytes, |ws| ws::feed(ws, app)).await
}

#[handler]
async fn broadcast(request: &mut Request, depot: &mut Depot, response: &mut Response) -> Result<(), Reply> {
    let app = app(depot).clone();
    let subscription = app.subscribe(request.uri().query())?;
    let limit = app.limits().publication_bytes;
    upgrade(request, response, limit, |ws| ws::broadcast(ws, app, subscription)).await
}

fn last_event_id(request: &Request) -> Option<&[u8]> {
    request.headers().get("last-event-id").map(HeaderValue::as_bytes)
}

/// Answers the opening handshake, and has `talk` go on with the connection when the answer is out.
async fn upgrade<F>(
    request: &mut Request,
    response: &mut Response,
    max_bytes: usize,
    talk: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Result<(), Reply>
where
    F: Future<Output = ()> + Send + 'static,
{
    let key = request.headers().get(SEC_WEBSOCKET_KEY);
    if !key.is_some_and(|key| is_handshake_key(key.as_bytes())) {
        return Err(Refusal::NotUpgrade.into());
    }
    let handshake = WebSocketUpgrade::new().max_message_size(max_bytes).max_frame_size(max_bytes);
    handshake.upgrade(request, response, talk).await.map_err(|_| Refusal::NotUpgrade.into())
}

/// What salvo has no answer to.
#[handler]
async fn refuse(response: &mut Response) {
    response.render(match response.status_code {
        Some(StatusCode::METHOD_NOT_ALLOWED) => Reply(Answer::method_not_allowed()),
        _ => Reply(Answer::not_found()),
    });
}

/// An answer of the contract, for salvo to write.
struct Reply(Answer);

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.into())
    }
}

impl Scribe for Reply {
    fn render(self, response: &mut Response) {
        let Self(Answer { status, body }) = self;
        response.status_code(StatusCode::from_u16(status).expect("the contract has only valid statuses"));
        if status != 204 {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Answer::CONTENT_TYPE));
            response.body(body);
        }
    }
}

/// `salvo::sse` would encode each event once a subscriber.
fn stream(response: &mut Response, blocks: impl Stream<Item = Bytes> + Send + 'static) {
    for (name, value) in EVENT_STREAM_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.stream(blocks.map(Ok::<_, Infallible>));
}
