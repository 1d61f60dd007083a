//! The WebSocket paths.

use bytes::Bytes;
use contract::{Close, Ending, FAREWELL, Refusal, Subscription};
use futures_util::{SinkExt, StreamExt};
use launch::Heartbeat;
use salvo::websocket::{Message, WebSocket};
use tokio::select;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};

use crate::App;

pub(crate) async fn echo(mut ws: WebSocket) {
    let ended = async {
        while let Some(message) = ws.next().await {
            match message.map_err(ending)? {
                message if message.is_text() || message.is_binary() => ws.send(message).await,
                // tungstenite has queued the pong, or the answer to a close. Waiting until it is out makes
                // sure that a client that does not read is not read either.
                _ => ws.flush().await,
            }
            .map_err(ending)?;
        }
        Ok(())
    };
    let ended = ended.await;
    close(ws, ended).await;
}

pub(crate) async fn countdown(mut ws: WebSocket, app: App) {
    let ended = async {
        while let Some(message) = ws.next().await {
            match message.map_err(ending)? {
                message if message.is_text() => {
                    let text = message.as_str().unwrap_or_default();
                    ws.send(Message::text(app.countdown(text)?)).await
                }
                message if message.is_binary() => return Err(Refusal::NotText.into()),
                _ => ws.flush().await,
            }
            .map_err(ending)?;
        }
        Ok(())
    };
    let ended = ended.await;
    close(ws, ended).await;
}

pub(crate) async fn feed(mut ws: WebSocket, app: App) {
    let ended = async {
        for item in app.feed_messages() {
            ws.feed(item.clone()).await.map_err(ending)?;
        }
        Err(Ending::Done)
    };
    let ended = ended.await;
    close(ws, ended).await;
}

pub(crate) async fn broadcast(mut ws: WebSocket, app: App, mut subscription: Subscription<Message>) {
    let mut heartbeat = Heartbeat::new(app.timing());
    let ended = async {
        loop {
            let sent = select! {
                publication = subscription.next() => subscription.unless_lagged(ws.send(publication?)).await,
                () = heartbeat.tick() => subscription.unless_lagged(ws.send(Message::ping(Bytes::new()))).await,
                message = ws.next() => match message.transpose().map_err(ending)? {
                    None => return Ok(()),
                    Some(message) if message.is_text() => {
                        app.publish_text(message.as_str().unwrap_or_default())?;
                        continue;
                    }
                    Some(message) if message.is_binary() => return Err(Refusal::NotText.into()),
                    Some(_) => subscription.unless_lagged(ws.flush()).await,
                },
            };
            sent?.map_err(ending)?;
        }
    };
    let ended = ended.await;
    drop(subscription);
    close(ws, ended).await;
}

/// salvo answers pings and closes by itself, but an error only returns: what it asks for is ours to say.
/// It is tungstenite's, in a box.
fn ending(error: salvo::Error) -> Ending {
    let salvo::Error::Other(error) = error else { return Ending::Gone };
    match error.downcast_ref() {
        Some(Error::Capacity(CapacityError::MessageTooLong { max_size, .. })) => {
            Refusal::TooBig { limit_bytes: *max_size }.into()
        }
        Some(Error::Utf8(_)) => Refusal::NotUtf8.into(),
        Some(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => Ending::Gone,
        Some(Error::Protocol(_)) => Refusal::Protocol.into(),
        _ => Ending::Gone,
    }
}

/// Ends the connection, with a close frame if there is something to say. Then what the client has still
/// under way is read and thrown away, as far as salvo allows: after an error it reads nothing more, and TCP
/// may reset the connection.
async fn close(mut ws: WebSocket, ended: Result<(), Ending>) {
    let Some(Close { code, reason }) = ended.err().and_then(|ending| ending.close()) else { return };
    let farewell = async {
        ws.send(Message::close_with(code, reason)).await.ok()?;
        while ws.next().await?.is_ok() {}
        Some(())
    };
    // Whether it took it all or not: the connection ends here.
    let _ = timeout(FAREWELL, farewell).await;
}
