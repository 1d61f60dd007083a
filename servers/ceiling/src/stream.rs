//! Event streams: bodies in chunks, whose length nobody knows (RFC 9112, section 7.1).

use std::io::Write as _;

use bytes::Bytes;
use contract::EVENT_STREAM_HEADERS;

use crate::output::Output;

/// The head of an event stream's answer.
pub(crate) fn push_head(output: &mut Output, keep_alive: bool) {
    let tail = output.tail();
    tail.extend_from_slice(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
    if !keep_alive {
        tail.extend_from_slice(b"Connection: close\r\n");
    }
    for (name, value) in EVENT_STREAM_HEADERS {
        // Writing to a vector cannot fail.
        let _ = write!(tail, "{name}: {value}\r\n");
    }
    tail.extend_from_slice(b"\r\n");
}

pub(crate) fn push_chunk(output: &mut Output, block: Bytes) {
    let _ = write!(output.tail(), "{:x}\r\n", block.len());
    output.push(block);
    output.tail().extend_from_slice(b"\r\n");
}

pub(crate) fn push_last_chunk(output: &mut Output) {
    output.tail().extend_from_slice(b"0\r\n\r\n");
}
