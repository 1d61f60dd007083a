use std::io::Write as _;

use bytes::Bytes;
use serde::Serialize;

/// One publication as each transport sends it, made once: the JSON and, in the same buffer, the event around it.
#[derive(Debug)]
pub(crate) struct Publication<M> {
    /// As the framework sends it over a WebSocket.
    pub(crate) message: M,
    /// A block of an event stream.
    pub(crate) event: Bytes,
    /// JSON, for the answer to a poll.
    pub(crate) json: Bytes,
}

/// A publication as it goes over the wire.
#[derive(Serialize)]
struct Envelope<'a> {
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    data: &'a str,
}

impl<M> Publication<M> {
    /// `name` has been checked by [`is_event_name`].
    pub(crate) fn new(id: u64, name: Option<&str>, data: &str, encode: fn(Bytes) -> M) -> Self {
        let (event, json) = event(id, name, &Envelope { id, event: name, data });
        Self { message: encode(json.clone()), event, json }
    }
}

/// A block of an event stream (HTML standard, section 9.2.5), and the JSON in it. The JSON is one line: line breaks
/// within its strings are escaped, so `data` carries it as it is.
pub(crate) fn event(id: u64, name: Option<&str>, data: &impl Serialize) -> (Bytes, Bytes) {
    let mut block = Vec::with_capacity(256);
    let written = match name {
        None => write!(block, "id: {id}\ndata: "),
        Some(name) => write!(block, "id: {id}\nevent: {name}\ndata: "),
    };
    written.expect("a vector takes all bytes");
    let start = block.len();
    // Only maps with keys that are no strings cannot be written; ours are structs.
    serde_json::to_writer(&mut block, data).expect("a struct of strings and numbers is JSON");
    let end = block.len();
    block.extend_from_slice(b"\n\n");
    let block = Bytes::from(block);
    let json = block.slice(start..end);
    (block, json)
}

/// May a publication have this name? It is a line of its own in an event stream, where a line break would forge
/// another field; and a browser's EventSource has two events of its own (HTML standard, section 9.2.2).
pub(crate) fn is_event_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && !name.chars().any(char::is_control)
        && !matches!(name, "open" | "error")
}
