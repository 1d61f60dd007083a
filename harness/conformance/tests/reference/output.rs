use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::Server;

/// What a subscriber's two threads write to.
pub(super) struct Output {
    stream: TcpStream,
    closed: bool,
    /// The last publication that was sent or is being sent.
    pub(super) delivered: u64,
}

impl Output {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        // How often a blocked write looks whether its subscriber lags.
        stream.set_write_timeout(Some(Duration::from_millis(20)))?;
        Ok(Self { stream, closed: false, delivered: u64::MAX })
    }

    /// Writes all; false, and the end of the connection, if the subscriber falls too far behind or is gone.
    pub(super) fn write(&mut self, server: &Server, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() && !self.closed {
            match self.stream.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock && !self.lags(server) => {}
                Err(_) => {
                    self.closed = true;
                    let _ = self.stream.shutdown(Shutdown::Both);
                }
            }
        }
        !self.closed
    }

    /// Writes a close frame, after which nothing more is written.
    pub(super) fn write_last(&mut self, server: &Server, bytes: &[u8]) {
        self.write(server, bytes);
        self.closed = true;
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    fn lags(&self, server: &Server) -> bool {
        let newest = server.app.hub().stats().publications;
        newest.saturating_sub(self.delivered) > server.limits.replay_window.get() as u64
    }
}
