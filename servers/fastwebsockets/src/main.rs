//! hyper 1, joined with WebSockets as the documentation of fastwebsockets does it.

mod ws;

use std::io;

use contract::{Refusal, Settings, is_handshake_key};
use fastwebsockets::upgrade::{is_upgrade_request, upgrade as accept};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::SEC_WEBSOCKET_KEY;
use hyper::{Request, Response};
use hyper_http::{Body, Talk};

/// A publication is sent as the JSON itself: a frame borrows it.
type App = contract::App<Bytes>;

fn main() -> io::Result<()> {
    let settings = Settings::from_args();
    let version = launch::version_of("fastwebsockets", env!("CARGO_PKG_NAME"));
    let app = App::new("fastwebsockets", ("fastwebsockets", version), &settings, |json| json);
    launch::run(&settings, |listener| hyper_http::serve(listener, app, upgrade))
}

/// Answers the opening handshake, and goes on with the connection when the answer is out.
fn upgrade(mut request: Request<Incoming>, app: App, talk: Talk<Bytes>) -> Result<Response<Body>, Refusal> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY);
    if !is_upgrade_request(&request) || !key.is_some_and(|key| is_handshake_key(key.as_bytes())) {
        return Err(Refusal::NotUpgrade);
    }
    let (response, websocket) = accept(&mut request).map_err(|_| Refusal::NotUpgrade)?;
    tokio::spawn(async move {
        let Ok(mut ws) = websocket.await else { return };
        let max_bytes = talk.max_bytes(app.limits());
        // It is the length of the shortest frame that is refused.
        ws.set_max_message_size(max_bytes + 1);
        match talk {
            Talk::Echo => ws::echo(ws, max_bytes).await,
            Talk::Countdown => ws::countdown(ws, app).await,
            Talk::Broadcast(subscription) => ws::broadcast(ws, app, subscription).await,
            Talk::Feed => ws::feed(ws, app).await,
        }
    });
    Ok(response.map(|_| Either::Left(Full::default())))
}
