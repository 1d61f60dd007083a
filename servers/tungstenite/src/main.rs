//! tokio-tungstenite on a bare TCP listener, with just enough HTTP beside it (`http.rs`) for the other paths.

mod http;
mod stream;
mod ws;

use std::io;
use std::ops::Deref;

use bytes::Bytes;
use contract::{Answer, Ending, Refusal, Route};
use futures_util::stream::iter;
use launch::{Heartbeat, Variant};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::time::sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, create_response, write_response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::http::Connection;

type WebSocket = WebSocketStream<TcpStream>;

#[derive(Clone)]
struct App {
    contract: contract::App<Message>,
    read_buffer_bytes: usize,
}

impl Deref for App {
    type Target = contract::App<Message>;

    fn deref(&self) -> &Self::Target {
        &self.contract
    }
}

fn main() -> io::Result<()> {
    let variant = Variant::from_args();
    let version = launch::version_of("tokio-tungstenite", env!("CARGO_PKG_NAME"));
    let framework = ("tokio-tungstenite", version);
    let contract = contract::App::new(variant.name("tungstenite"), framework, &variant.settings, text);
    let default_bytes = WebSocketConfig::default().read_buffer_size;
    let app = App { contract, read_buffer_bytes: variant.read_buffer_bytes.unwrap_or(default_bytes) };
    launch::run(&variant.settings, |listener| serve(listener, app))
}

/// A text message that shares the JSON.
fn text(json: Bytes) -> Message {
    Message::Text(json.try_into().expect("JSON is UTF-8"))
}

async fn serve(listener: TcpListener, app: App) {
    loop {
        let mut connection = Connection::new(launch::accept(&listener).await);
        let app = app.clone();
        tokio::spawn(async move {
            while let Some(same) = routes(connection, &app).await {
                connection = same;
            }
        });
    }
}

/// Answers one request. Returns the connection, if there may be another on it.
async fn routes(mut connection: Connection, app: &App) -> Option<Connection> {
    let request = match connection.request().await {
        Ok(request) => request,
        Err(ending) => return connection.answer(Err(ending)).await,
    };
    let query = request.uri().query();
    let last_event_id = request.headers().get("last-event-id").map(HeaderValue::as_bytes);
    let publication_bytes = app.limits().publication_bytes;
    let answer = match Route::of(request.method().as_str(), request.uri().path()) {
        Ok(Route::About) => Ok(app.about()),
        Ok(Route::Stats) => Ok(app.stats()),
        Ok(Route::Xhr) => Ok(app.xhr(query)),
        Ok(Route::Feed) => Ok(app.feed()),
        Ok(Route::Publish) => publish(&mut connection, &request, app).await,
        Ok(Route::Poll) => poll(&mut connection, query, app).await,
        Ok(Route::Echo) => {
            return upgrade(connection, &request, app, app.limits().echo_bytes, ws::echo).await;
        }
        Ok(Route::Countdown) => {
            let talk = |ws| ws::countdown(ws, app.clone());
            return upgrade(connection, &request, app, publication_bytes, talk).await;
        }
        Ok(Route::FeedWs) => {
            let talk = |ws| ws::feed(ws, app.clone());
            return upgrade(connection, &request, app, publication_bytes, talk).await;
        }
        Ok(Route::Broadcast) => match app.subscribe(query) {
            Ok(subscription) => {
                let talk = |ws| ws::broadcast(ws, app.clone(), subscription);
                return upgrade(connection, &request, app, publication_bytes, talk).await;
            }
            Err(refusal) => Err(refusal.into()),
        },
        Ok(Route::Sse) => match app.sse(query, last_event_id) {
            Ok(events) => {
                return connection.stream(launch::event_stream(events, Heartbeat::new(app.timing()))).await;
            }
            Err(refusal) => Err(refusal.into()),
        },
        Ok(Route::FeedSse) => match app.feed_sse(query, last_event_id) {
            Ok([]) => Ok(Answer::no_content()),
            Ok(events) => return connection.stream(iter(events.iter().cloned())).await,
            Err(refusal) => Err(refusal.into()),
        },
        Err(refusal) => Err(refusal.into()),
    };
    connection.answer(answer).await
}

async fn publish(connection: &mut Connection, request: &Request, app: &App) -> Result<Answer, Ending> {
    let body = connection.body(request, app.limits().publication_bytes).await?;
    Ok(app.publish(request.uri().query(), &body))
}

async fn poll(connection: &mut Connection, query: Option<&str>, app: &App) -> Result<Answer, Ending> {
    let poll = app.poll(query)?;
    select! {
        answer = poll.answer(sleep(app.timing().poll_wait())) => Ok(answer),
        () = connection.gone() => Err(Ending::Gone),
    }
}

/// Answers the opening handshake, and has `talk` go on with the connection.
async fn upgrade<F: Future<Output = ()>>(
    connection: Connection,
    request: &Request,
    app: &App,
    max_bytes: usize,
    talk: impl FnOnce(WebSocket) -> F,
) -> Option<Connection> {
    let Ok(response) = create_response(request) else {
        return connection.answer(Err(Refusal::NotUpgrade.into())).await;
    };
    let mut head = Vec::new();
    write_response(&mut head, &response).ok()?;
    let (mut stream, read_ahead) = connection.into_parts();
    stream.write_all(&head).await.ok()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(app.read_buffer_bytes)
        .max_message_size(Some(max_bytes))
        .max_frame_size(Some(max_bytes));
    talk(WebSocketStream::from_partially_read(stream, read_ahead, Role::Server, Some(config)).await).await;
    None
}
