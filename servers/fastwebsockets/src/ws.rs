//! The WebSocket paths.

use std::pin::pin;

use contract::{Close, Ending, FAREWELL, Refusal, Subscription};
use fastwebsockets::{
    FragmentCollector, FragmentCollectorRead, Frame, OpCode, Payload, WebSocket, WebSocketError,
    WebSocketWrite,
};
use futures_util::stream::{StreamExt, unfold};
use hyper::body::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use launch::Heartbeat;
use tokio::io::{AsyncWrite, AsyncWriteExt, copy, sink, split};
use tokio::select;
use tokio::sync::mpsc::channel;
use tokio::time::timeout;

use crate::App;

type Stream = TokioIo<Upgraded>;

pub(crate) async fn echo(ws: WebSocket<Stream>, max_bytes: usize) {
    let mut ws = FragmentCollector::new(ws);
    let ended = async {
        loop {
            let frame = read(ws.read_frame().await, max_bytes)?;
            match frame.opcode {
                OpCode::Text | OpCode::Binary => ws.write_frame(frame).await.map_err(ending(max_bytes))?,
                OpCode::Close => return Ok(()),
                _ => {}
            }
        }
    };
    let ended = ended.await;
    close(ws, ended).await;
}

pub(crate) async fn countdown(ws: WebSocket<Stream>, app: App) {
    let mut ws = FragmentCollector::new(ws);
    let max_bytes = app.limits().publication_bytes;
    let ended = async {
        loop {
            let frame = read(ws.read_frame().await, max_bytes)?;
            match frame.opcode {
                OpCode::Text => {
                    let next = app.countdown(text(&frame)?)?;
                    ws.write_frame(Frame::text(next.into_bytes().into())).await.map_err(ending(max_bytes))?;
                }
                OpCode::Binary => return Err(Refusal::NotText.into()),
                OpCode::Close => return Ok(()),
                _ => {}
            }
        }
    };
    let ended = ended.await;
    close(ws, ended).await;
}

pub(crate) async fn feed(ws: WebSocket<Stream>, app: App) {
    let mut ws = FragmentCollector::new(ws);
    let ended = async {
        for item in app.feed_messages() {
            let item = Frame::text(Payload::Borrowed(item));
            ws.write_frame(item).await.map_err(|_| Ending::Gone)?;
        }
        Err(Ending::Done)
    };
    let ended = ended.await;
    close(ws, ended).await;
}

pub(crate) async fn broadcast(ws: WebSocket<Stream>, app: App, mut subscription: Subscription<Bytes>) {
    let max_bytes = app.limits().publication_bytes;
    let (reader, mut writer) = ws.split(split);
    // Answers to pings and closes, on their way from who reads to who writes.
    let (owe, mut owed) = channel(1);
    // `read_frame` forgets what it has read of a frame if it is dropped before the end: so it is kept, and goes on
    // when there is time.
    let reader = (FragmentCollectorRead::new(reader), owe);
    let mut frames = pin!(unfold(reader, async |(mut reader, owe)| {
        let frame = reader.read_frame(&mut |answer| owe.send(answer)).await;
        Some((frame, (reader, owe)))
    }));
    let mut heartbeat = Heartbeat::new(app.timing());
    let ended = async {
        loop {
            select! {
                publication = subscription.next() => {
                    let publication = publication?;
                    let frame = Frame::text(Payload::Borrowed(&publication));
                    send(&mut writer, &mut subscription, frame).await?;
                }
                () = heartbeat.tick() => {
                    let ping = Frame::new(true, OpCode::Ping, None, Payload::Borrowed(b""));
                    send(&mut writer, &mut subscription, ping).await?;
                }
                Some(answer) = owed.recv() => send(&mut writer, &mut subscription, answer).await?,
                Some(frame) = frames.next() => {
                    if let Ok(answer) = owed.try_recv() {
                        send(&mut writer, &mut subscription, answer).await?;
                    }
                    let frame = read(frame, max_bytes)?;
                    match frame.opcode {
                        OpCode::Text => _ = app.publish_text(text(&frame)?)?,
                        OpCode::Binary => return Err(Refusal::NotText.into()),
                        OpCode::Close => return Ok(()),
                        _ => {}
                    }
                }
            }
        }
    };
    let ended: Result<(), Ending> = ended.await;
    drop(subscription);
    let Some(Close { code, reason }) = ended.err().and_then(|ending| ending.close()) else { return };
    // The halves of a split connection give it back to nobody: what is under way is read as frames, until one is
    // none. Then TCP may reset the connection.
    let farewell = async {
        writer.write_frame(Frame::close(code, reason.as_bytes())).await.ok()?;
        while frames.next().await?.is_ok() {}
        Some(())
    };
    let _ = timeout(FAREWELL, farewell).await;
}

/// A frame that is given up may be out in part, and then nothing can follow: a subscriber that lags while
/// it is sent to is not told so.
async fn send<S: AsyncWrite + Unpin>(
    writer: &mut WebSocketWrite<S>,
    subscription: &mut Subscription<Bytes>,
    frame: Frame<'_>,
) -> Result<(), Ending> {
    match subscription.unless_lagged(writer.write_frame(frame)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Ending::Gone),
    }
}

/// A message, or a control frame that has been answered. The limit of fastwebsockets is that of a frame.
fn read(frame: Result<Frame<'static>, WebSocketError>, max_bytes: usize) -> Result<Frame<'static>, Ending> {
    let frame = frame.map_err(ending(max_bytes))?;
    let too_big = Refusal::TooBig { limit_bytes: max_bytes };
    if frame.payload.len() > max_bytes { Err(too_big.into()) } else { Ok(frame) }
}

fn text<'a>(frame: &'a Frame<'_>) -> Result<&'a str, Refusal> {
    str::from_utf8(&frame.payload).map_err(|_| Refusal::NotUtf8)
}

/// fastwebsockets answers pings and closes by itself, a close with a wrong code with 1002, but another error only
/// returns: what it asks for is ours to say.
fn ending(max_bytes: usize) -> impl Fn(WebSocketError) -> Ending {
    move |error| match error {
        WebSocketError::FrameTooLarge => Refusal::TooBig { limit_bytes: max_bytes }.into(),
        WebSocketError::InvalidUTF8 => Refusal::NotUtf8.into(),
        WebSocketError::InvalidFragment
        | WebSocketError::InvalidContinuationFrame
        | WebSocketError::InvalidCloseFrame
        | WebSocketError::InvalidValue
        | WebSocketError::ReservedBitsNotZero
        | WebSocketError::ControlFrameFragmented
        | WebSocketError::PingFrameTooLarge => Refusal::Protocol.into(),
        _ => Ending::Gone,
    }
}

/// Ends the connection, with a close frame if there is something to say. Then what the client has still
/// under way is read and thrown away: if it were left, TCP would reset the connection, and the client might
/// never see the frame.
async fn close(mut ws: FragmentCollector<Stream>, ended: Result<(), Ending>) {
    let Some(Close { code, reason }) = ended.err().and_then(|ending| ending.close()) else { return };
    let farewell = async {
        ws.write_frame(Frame::close(code, reason.as_bytes())).await.ok()?;
        let mut socket = ws.into_inner();
        socket.shutdown().await.ok()?;
        copy(&mut socket, &mut sink()).await.ok()
    };
    // Whether it took it all or not: the connection ends here.
    let _ = timeout(FAREWELL, farewell).await;
}
