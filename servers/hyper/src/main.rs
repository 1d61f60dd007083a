//! hyper 1, joined with WebSockets as the documentation of hyper-tungstenite does it.

mod ws;

use std::io;

use contract::{Refusal, is_handshake_key};
use http_body_util::Either;
use hyper::body::{Bytes, Incoming};
use hyper::header::SEC_WEBSOCKET_KEY;
use hyper::{Request, Response};
use hyper_http::{Body, Talk};
use hyper_tungstenite::is_upgrade_request;
use hyper_tungstenite::tungstenite::Message;
use hyper_tungstenite::tungstenite::protocol::WebSocketConfig;
use launch::Variant;

type App = contract::App<Message>;

fn main() -> io::Result<()> {
    let variant = Variant::from_args();
    let version = launch::version_of("hyper", env!("CARGO_PKG_NAME"));
    let app = App::new(variant.name("hyper"), ("hyper", version), &variant.settings, text);
    let config = match variant.read_buffer_bytes {
        Some(bytes) => WebSocketConfig::default().read_buffer_size(bytes),
        None => WebSocketConfig::default(),
    };
    let upgrade = move |request, app, talk| upgrade(request, app, talk, config);
    launch::run(&variant.settings, |listener| hyper_http::serve(listener, app, upgrade))
}

/// A text message that shares the JSON.
fn text(json: Bytes) -> Message {
    Message::Text(json.try_into().expect("JSON is UTF-8"))
}

/// Answers the opening handshake, and goes on with the connection when the answer is out.
fn upgrade(
    mut request: Request<Incoming>,
    app: App,
    talk: Talk<Message>,
    config: WebSocketConfig,
) -> Result<Response<Body>, Refusal> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY);
    if !is_upgrade_request(&request) || !key.is_some_and(|key| is_handshake_key(key.as_bytes())) {
        return Err(Refusal::NotUpgrade);
    }
    let limit = Some(talk.max_bytes(app.limits()));
    let config = config.max_message_size(limit).max_frame_size(limit);
    let (response, websocket) =
        hyper_tungstenite::upgrade(&mut request, Some(config)).map_err(|_| Refusal::NotUpgrade)?;
    tokio::spawn(async move {
        let Ok(ws) = websocket.await else { return };
        match talk {
            Talk::Echo => ws::echo(ws).await,
            Talk::Countdown => ws::countdown(ws, app).await,
            Talk::Broadcast(subscription) => ws::broadcast(ws, app, subscription).await,
            Talk::Feed => ws::feed(ws, app).await,
        }
    });
    Ok(response.map(Either::Left))
}
