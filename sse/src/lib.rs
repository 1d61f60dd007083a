//! Server-sent events (HTML standard, section 9.2) without sockets, and with no allocation an event: the load generator and the
//! conformance checks share this crate.
//!
//! It is held against a transcription of the standard's algorithm, split at every byte, in `tests/standard.rs`.

mod parser;

pub use parser::{Event, Parser};
