//! hyper 1, joined with WebSockets as the documentation of hyper-tungstenite does it.

mod ws;

use std::convert::Infallible;
use std::io;

use contract::{Answer, Refusal, Route, Settings, Transport, is_handshake_key};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, SEC_WEBSOCKET_KEY};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_tungstenite::tungstenite::Message;
use hyper_tungstenite::tungstenite::protocol::WebSocketConfig;
use hyper_tungstenite::{HyperWebsocketStream, is_upgrade_request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

type App = contract::App<Message>;

fn main() -> io::Result<()> {
    let settings = Settings::from_args();
    let version = launch::version_of("hyper", env!("CARGO_PKG_NAME"));
    let app = App::new("hyper", ("hyper", version), &settings, Message::text);
    launch::run(&settings, |listener| serve(listener, app))
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

async fn routes(request: Request<Incoming>, app: App) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match Route::of(request.method().as_str(), request.uri().path()) {
        Ok(Route::About) => answer(app.about()),
        Ok(Route::Stats) => answer(app.stats()),
        Ok(Route::Xhr) => answer(app.xhr(request.uri().query())),
        Ok(Route::Publish) => answer(publish(request, &app).await),
        Ok(Route::Echo) => upgrade(request, app.limits().echo_bytes, ws::echo),
        Ok(Route::Broadcast) => match app.subscribe(Transport::WebSocket, request.uri().query()) {
            Ok(subscription) => upgrade(request, app.limits().publication_bytes, move |ws| {
                ws::broadcast(ws, app, subscription)
            }),
            Err(refusal) => answer(refusal),
        },
        Err(refusal) => answer(refusal),
    })
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
) -> Response<Full<Bytes>>
where
    F: Future<Output = ()> + Send + 'static,
{
    let key = request.headers().get(SEC_WEBSOCKET_KEY);
    if !is_upgrade_request(&request) || !key.is_some_and(|key| is_handshake_key(key.as_bytes())) {
        return answer(Refusal::NotUpgrade);
    }
    let config = WebSocketConfig::default().max_message_size(Some(max_bytes)).max_frame_size(Some(max_bytes));
    let Ok((response, websocket)) = hyper_tungstenite::upgrade(&mut request, Some(config)) else {
        return answer(Refusal::NotUpgrade);
    };
    tokio::spawn(async move {
        if let Ok(ws) = websocket.await {
            talk(ws).await;
        }
    });
    response
}

fn answer(answer: impl Into<Answer>) -> Response<Full<Bytes>> {
    let Answer { status, body } = answer.into();
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, Answer::CONTENT_TYPE)
        .body(body.into())
        .expect("the contract has only valid statuses")
}
