//! The WebSocket paths.

use contract::{Close, Ending, FAREWELL, Refusal, Subscription};
use futures_util::{SinkExt, StreamExt};
use hyper::body::Bytes;
use hyper_tungstenite::HyperWebsocketStream;
use hyper_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use hyper_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use launch::Heartbeat;
use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::select;
use tokio::time::timeout;

use crate::App;

pub(crate) async fn echo(mut ws: HyperWebsocketStream) {
    let ended = async {
        while let Some(message) = ws.next().await {
            match message.map_err(ending)? {
                message @ (Message::Text(_) | Message::Binary(_)) => ws.send(message).await,
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

pub(crate) async fn countdown(mut ws: HyperWebsocketStream, app: App) {
    let ended = async {
        while let Some(message) = ws.next().await {
            match message.map_err(ending)? {
                Message::Text(text) => ws.send(Message::text(app.countdown(&text)?)).await,
                Message::Binary(_) => return Err(Refusal::NotText.into()),
                _ => ws.flush().await,
            }
            .map_err(ending)?;
        }
        Ok(())
    };
    let ended = ended.await;
    close(ws, ended).await;
}

pub(crate) async fn feed(mut ws: HyperWebsocketStream, app: App) {
    let ended = async {
        for item in app.feed_messages() {
            ws.feed(item.clone()).await.map_err(ending)?;
        }
        Err(Ending::Done)
    };
    let ended = ended.await;
    close(ws, ended).await;
}

pub(crate) async fn broadcast(
    mut ws: HyperWebsocketStream,
    app: App,
    mut subscription: Subscription<Message>,
) {
    let mut heartbeat = Heartbeat::new(app.timing());
    let ended = async {
        loop {
            let sent = select! {
                publication = subscription.next() => subscription.unless_lagged(ws.send(publication?)).await,
                () = heartbeat.tick() => subscription.unless_lagged(ws.send(Message::Ping(Bytes::new()))).await,
                message = ws.next() => match message.transpose().map_err(ending)? {
                    None => return Ok(()),
                    Some(Message::Text(text)) => {
                        app.publish_text(&text)?;
                        continue;
                    }
                    Some(Message::Binary(_)) => return Err(Refusal::NotText.into()),
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

/// tungstenite answers pings and closes by itself, but an error only returns: what it asks for is ours to say.
#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
fn ending(error: Error) -> Ending {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { max_size, .. }) => {
            Refusal::TooBig { limit_bytes: max_size }.into()
        }
        Error::Utf8(_) => Refusal::NotUtf8.into(),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::Gone,
        Error::Protocol(_) => Refusal::Protocol.into(),
        _ => Ending::Gone,
    }
}

/// Ends the connection, with a close frame if there is something to say. Then what the client has still
/// under way is read and thrown away: if it were left, TCP would reset the connection, and the client might
/// never see the frame.
async fn close(mut ws: HyperWebsocketStream, ended: Result<(), Ending>) {
    let Some(Close { code, reason }) = ended.err().and_then(|ending| ending.close()) else { return };
    let farewell = async {
        ws.close(Some(CloseFrame { code: code.into(), reason: reason.into() })).await.ok()?;
        let socket = ws.get_mut();
        socket.shutdown().await.ok()?;
        copy(socket, &mut sink()).await.ok()
    };
    // Whether it took it all or not: the connection ends here.
    let _ = timeout(FAREWELL, farewell).await;
}
