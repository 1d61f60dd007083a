//! The oracle: `tokio-websockets` over a pipe in memory.

use framing::Opcode;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio_websockets::{ClientBuilder, Config, Limits, ServerBuilder, WebSocketStream};

use super::Message;

/// More than any test sends, so that nobody waits for the other end.
const PIPE_BYTES: usize = 1 << 22;

/// `messages` as the oracle writes them, in frames of at most `frame_bytes`; a client masks.
pub(crate) fn write(messages: &[Message], frame_bytes: usize, masked: bool) -> Vec<u8> {
    block_on(async {
        let (theirs, mut wire) = duplex(PIPE_BYTES);
        let mut theirs = stream(theirs, !masked, frame_bytes);
        for (opcode, payload) in messages {
            let message = match opcode {
                Opcode::Text => tokio_websockets::Message::text(String::from_utf8(payload.clone()).unwrap()),
                _ => tokio_websockets::Message::binary(payload.clone()),
            };
            theirs.send(message).await.unwrap();
        }
        drop(theirs);
        let mut bytes = Vec::new();
        wire.read_to_end(&mut bytes).await.unwrap();
        bytes
    })
}

/// What the oracle, a server or a client, reads from `bytes`, and whether it then refused them.
pub(crate) fn read(bytes: &[u8], as_server: bool) -> (Vec<Message>, bool) {
    block_on(async {
        let (theirs, mut wire) = duplex(PIPE_BYTES);
        let mut theirs = stream(theirs, as_server, usize::MAX);
        wire.write_all(bytes).await.unwrap();
        wire.shutdown().await.unwrap();
        let mut messages = Vec::new();
        while let Some(read) = theirs.next().await {
            match read {
                Ok(message) => messages.push((opcode(&message), message.into_payload().to_vec())),
                // The stream ended within a frame: nothing was wrong with what came.
                Err(tokio_websockets::Error::Io(_)) => break,
                Err(_) => return (messages, true),
            }
        }
        (messages, false)
    })
}

fn opcode(message: &tokio_websockets::Message) -> Opcode {
    match message {
        text if text.is_text() => Opcode::Text,
        ping if ping.is_ping() => Opcode::Ping,
        pong if pong.is_pong() => Opcode::Pong,
        close if close.is_close() => Opcode::Close,
        _ => Opcode::Binary,
    }
}

fn stream(pipe: DuplexStream, as_server: bool, frame_bytes: usize) -> WebSocketStream<DuplexStream> {
    let config = Config::default().frame_size(frame_bytes);
    if as_server {
        ServerBuilder::new().config(config).limits(Limits::unlimited()).serve(pipe)
    } else {
        ClientBuilder::new().config(config).limits(Limits::unlimited()).take_over(pipe)
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
