//! A body of unknown length, in chunks (RFC 9112, section 7.1): an event stream.

use bytes::Bytes;
use contract::EVENT_STREAM_HEADERS;
use futures_util::{Stream, StreamExt};
use std::io::Write;
use std::pin::pin;
use tokio::io::AsyncWriteExt;
use tokio::select;
use tokio_tungstenite::tungstenite::http::StatusCode;

use crate::http::Connection;

impl Connection {
    /// Sends the head at once, then each block as it comes. Returns the connection, if there may be another request on it.
    pub(crate) async fn stream(mut self, blocks: impl Stream<Item = Bytes>) -> Option<Self> {
        let mut head = self.head(StatusCode::OK);
        for (name, value) in EVENT_STREAM_HEADERS {
            head += &format!("{name}: {value}\r\n");
        }
        head += "transfer-encoding: chunked\r\n\r\n";
        let mut out = head.into_bytes();
        let mut blocks = pin!(blocks);
        loop {
            self.stream.write_all(&out).await.ok()?;
            out.clear();
            let block = select! {
                biased;
                block = blocks.next() => block,
                () = self.gone() => return None,
            };
            let Some(block) = block else { break };
            write!(out, "{:x}\r\n", block.len()).ok()?;
            out.extend_from_slice(&block);
            out.extend_from_slice(b"\r\n");
        }
        self.stream.write_all(b"0\r\n\r\n").await.ok()?;
        self.keep().await
    }
}
