use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::Lagged;

/// How long a client has to read why it is closed: one that has stopped reading cannot hold up the server.
pub const FAREWELL: Duration = Duration::from_secs(1);

/// Why a request or a message is refused, and how that is said over HTTP and over WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A path that the contract does not name.
    #[error("no such path")]
    NotFound,
    /// A path of the contract, with a method that it does not have.
    #[error("method not allowed on this path")]
    MethodNotAllowed,
    /// A publication or message over its limit.
    #[error("longer than {limit_bytes} bytes")]
    TooBig {
        /// The limit.
        limit_bytes: usize,
    },
    /// Text that is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// A binary message where text is expected.
    #[error("only text is read here")]
    NotText,
    /// A message on `WS /ws/countdown` that says nothing to count down from.
    #[error("expected {{\"count\":N}}, a whole number from 1 to 2^53")]
    NotCount,
    /// A query that cannot be read.
    #[error("{name}={value:?}: expected {expected}")]
    BadQuery {
        /// The parameter.
        name: &'static str,
        /// What it was.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A subscriber that fell too far behind.
    #[error("fell more than {window} publications behind")]
    Lagged {
        /// The replay window.
        window: usize,
    },
    /// Frames against RFC 6455.
    #[error("not the WebSocket protocol")]
    Protocol,
    /// A WebSocket path without a valid opening handshake (RFC 6455, section 4.2.1).
    #[error("expected a WebSocket upgrade, version 13")]
    NotUpgrade,
    /// A body of unknown length, where only bodies of a known one are read.
    #[error("expected a Content-Length")]
    LengthRequired,
    /// What cannot be read as HTTP/1.1, or a body that ended before its length.
    #[error("not an HTTP/1.1 request")]
    NotHttp,
}

impl Refusal {
    /// The HTTP status (RFC 9110, section 15.5).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooBig { .. } => 413,
            Self::Lagged { .. } => 503,
            Self::LengthRequired => 411,
            Self::NotUtf8
            | Self::NotText
            | Self::NotCount
            | Self::BadQuery { .. }
            | Self::Protocol
            | Self::NotUpgrade
            | Self::NotHttp => 400,
        }
    }

    /// The close frame (RFC 6455, section 7.4.1; 1013 is in the IANA registry of close codes).
    #[must_use]
    pub fn close(&self) -> Close {
        let (code, reason) = match self {
            Self::TooBig { .. } => (1009, "message too big"),
            Self::NotUtf8 => (1007, "not UTF-8"),
            Self::NotText => (1003, "only text is read here"),
            Self::Lagged { .. } => (1013, "fell too far behind"),
            Self::NotCount => (1008, "expected {\"count\":N}, a whole number from 1 to 2^53"),
            Self::Protocol => (1002, "protocol error"),
            Self::NotFound
            | Self::MethodNotAllowed
            | Self::BadQuery { .. }
            | Self::NotUpgrade
            | Self::LengthRequired
            | Self::NotHttp => (1008, "bad request"),
        };
        Close { code, reason }
    }
}

/// What a close frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// The code.
    pub code: u16,
    /// For people; at most 123 bytes.
    pub reason: &'static str,
}

/// Why a contender ends a connection that its client has not closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// There is nobody to say anything to.
    Gone,
    /// All has been said.
    Done,
    /// To be said in a close frame, or in an answer.
    Refused(Refusal),
}

impl Ending {
    /// What is said over WebSocket, if there is somebody.
    #[must_use]
    pub fn close(&self) -> Option<Close> {
        match self {
            Self::Gone => None,
            Self::Done => Some(Close { code: 1000, reason: "" }),
            Self::Refused(refusal) => Some(refusal.close()),
        }
    }
}

impl From<io::Error> for Ending {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl From<Refusal> for Ending {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Lagged> for Ending {
    fn from(lagged: Lagged) -> Self {
        Self::Refused(lagged.into())
    }
}
