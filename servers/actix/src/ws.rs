//! The WebSocket paths.

use std::io::ErrorKind;

use actix_web::web::Data;
use actix_ws::{
    AggregatedMessage as Message, AggregatedMessageStream, CloseReason, Closed, ProtocolError, Session,
};
use bytestring::ByteString;
use contract::{Close, Ending, FAREWELL, Refusal, Subscription};
use launch::Heartbeat;
use tokio::select;
use tokio::time::timeout;

use crate::App;

pub(crate) async fn echo(mut session: Session, mut stream: AggregatedMessageStream, max_bytes: usize) {
    let ended = async {
        while let Some(message) = stream.recv().await {
            match message.map_err(|error| ending(&error, max_bytes))? {
                Message::Text(text) => session.text(text).await,
                Message::Binary(bytes) => session.binary(bytes).await,
                Message::Ping(bytes) => session.pong(&bytes).await,
                Message::Pong(_) => Ok(()),
                Message::Close(reason) => session.clone().close(reason).await,
            }
            .map_err(|Closed| Ending::Gone)?;
        }
        Ok(())
    };
    let ended = ended.await;
    close(session, ended).await;
}

pub(crate) async fn countdown(mut session: Session, mut stream: AggregatedMessageStream, app: Data<App>) {
    let max_bytes = app.limits().publication_bytes;
    let ended = async {
        while let Some(message) = stream.recv().await {
            match message.map_err(|error| ending(&error, max_bytes))? {
                Message::Text(text) => session.text(app.countdown(&text)?).await,
                Message::Binary(_) => return Err(Refusal::NotText.into()),
                Message::Ping(bytes) => session.pong(&bytes).await,
                Message::Pong(_) => Ok(()),
                Message::Close(reason) => session.clone().close(reason).await,
            }
            .map_err(|Closed| Ending::Gone)?;
        }
        Ok(())
    };
    let ended = ended.await;
    close(session, ended).await;
}

/// The stream is kept until the end: without it actix-web would end the connection.
pub(crate) async fn feed(mut session: Session, _stream: AggregatedMessageStream, app: Data<App>) {
    let ended = async {
        for item in app.feed_messages() {
            session.text(item.clone()).await.map_err(|Closed| Ending::Gone)?;
        }
        Err(Ending::Done)
    };
    let ended = ended.await;
    close(session, ended).await;
}

pub(crate) async fn broadcast(
    mut session: Session,
    mut stream: AggregatedMessageStream,
    app: Data<App>,
    mut subscription: Subscription<ByteString>,
) {
    let max_bytes = app.limits().publication_bytes;
    let mut heartbeat = Heartbeat::new(app.timing());
    let ended = async {
        loop {
            let sent = select! {
                () = heartbeat.tick() => subscription.unless_lagged(session.ping(b"")).await,
                publication = subscription.next() => {
                    subscription.unless_lagged(session.text(publication?)).await
                }
                message = stream.recv() => match message.transpose().map_err(|error| ending(&error, max_bytes))? {
                    None => return Ok(()),
                    Some(Message::Text(text)) => {
                        app.publish_text(&text)?;
                        continue;
                    }
                    Some(Message::Binary(_)) => return Err(Refusal::NotText.into()),
                    Some(Message::Ping(bytes)) => subscription.unless_lagged(session.pong(&bytes)).await,
                    Some(Message::Pong(_)) => continue,
                    Some(Message::Close(reason)) => {
                        subscription.unless_lagged(session.clone().close(reason)).await
                    }
                },
            };
            sent?.map_err(|Closed| Ending::Gone)?;
        }
    };
    let ended = ended.await;
    drop(subscription);
    close(session, ended).await;
}

/// actix-ws answers nothing by itself, and tells some of its errors only by kind and text.
fn ending(error: &ProtocolError, max_bytes: usize) -> Ending {
    let too_big = Refusal::TooBig { limit_bytes: max_bytes }.into();
    match error {
        ProtocolError::Overflow => too_big,
        ProtocolError::Io(error) => match error.kind() {
            ErrorKind::InvalidData if error.to_string().contains("reserved bits") => Refusal::Protocol.into(),
            ErrorKind::InvalidData => Refusal::NotUtf8.into(),
            _ if error.to_string().contains("continuation size") => too_big,
            _ => Ending::Gone,
        },
        _ => Refusal::Protocol.into(),
    }
}

/// Ends the connection, with a close frame if there is something to say. What the client has still under
/// way is read and thrown away by actix-web, for a second.
async fn close(session: Session, ended: Result<(), Ending>) {
    let Some(Close { code, reason }) = ended.err().and_then(|ending| ending.close()) else { return };
    let description = Some(reason.into()).filter(|reason: &String| !reason.is_empty());
    let farewell = session.close(Some(CloseReason { code: code.into(), description }));
    // Whether there was room for it or not: the connection ends here.
    let _ = timeout(FAREWELL, farewell).await;
}
