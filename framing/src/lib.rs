//! WebSocket framing (RFC 6455, section 5) without sockets, buffers or allocation policy.
//!
//! The load generator and the ceiling contender share this crate: both need frames that cost next to
//! nothing. It is held against `tokio-websockets`, which shares no code with it, in `tests/oracle.rs`.

pub mod close;
mod handshake;
mod header;
mod mask;
mod parser;

pub use handshake::accept_key;
pub use header::{FrameError, Header, MAX_HEADER_BYTES, Opcode};
pub use mask::apply_mask;
pub use parser::{Chunk, Parser};
