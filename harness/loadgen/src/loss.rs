use std::io::{self, ErrorKind};

use framing::FrameError;
use rustix::io::Errno;
use thiserror::Error;

/// Why a connection did not open, or is of no more use. Its text is the cause that it is counted under,
/// so it holds nothing that differs from connection to connection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Loss {
    #[error("refused")]
    Refused,
    #[error("timed out")]
    TimedOut,
    #[error("reset")]
    Reset,
    #[error("no free local port: widen net.ipv4.ip_local_port_range")]
    NoLocalPort,
    #[error("no free file: raise the limit of open files (`ulimit -n`) or fs.file-max")]
    NoFile,
    #[error("HTTP {0}")]
    Status(u16),
    #[error("wrong accept key")]
    WrongAccept,
    #[error("malformed answer: {0}")]
    Malformed(&'static str),
    #[error("garbage: {0}")]
    Garbage(#[from] FrameError),
    #[error("garbage: a message longer than any that was sent")]
    TooLong,
    #[error("closed {code}{}{reason}", if reason.is_empty() { "" } else { ": " })]
    Closed { code: u16, reason: String },
    #[error("closed without a code")]
    ClosedSilently,
    #[error("ended without a close")]
    Ended,
    #[error("the event stream ended")]
    StreamEnded,
    #[error("{0}")]
    System(String),
}

impl From<io::Error> for Loss {
    fn from(error: io::Error) -> Self {
        if matches!(Errno::from_io_error(&error), Some(Errno::MFILE | Errno::NFILE)) {
            return Self::NoFile;
        }
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Self::Reset,
            ErrorKind::AddrNotAvailable => Self::NoLocalPort,
            _ => Self::System(error.to_string().to_lowercase()),
        }
    }
}

impl From<httparse::Error> for Loss {
    fn from(error: httparse::Error) -> Self {
        Self::Malformed(match error {
            httparse::Error::Version => "not HTTP/1.1",
            httparse::Error::Status => "the status line",
            httparse::Error::TooManyHeaders => "too many headers",
            _ => "the headers",
        })
    }
}
