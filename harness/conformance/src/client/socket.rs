use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, SockFilter, SockRef, Type};
use thiserror::Error;

use crate::check::ensure;
use crate::client::abbreviate;
use crate::{Failure, Target};

/// What came instead of the awaited bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Interruption {
    #[error("nothing more within {0:?}")]
    Silence(Duration),
    #[error("the end of the connection")]
    End,
    /// Bytes that are not of the protocol, or an error of the operating system.
    #[error("{0}")]
    Broken(String),
}

impl Interruption {
    pub(crate) fn awaiting(self, expected: impl Into<String>) -> Failure {
        Failure::new(expected, self.to_string())
    }

    /// Has the other side ended the connection, be it by a reset?
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::End)
    }
}

/// A TCP connection on which nothing waits for longer than the patience of its target.
pub(crate) struct Socket {
    stream: TcpStream,
    patience: Duration,
    input: Vec<u8>,
    /// Where in `input` that begins which nobody has consumed yet.
    start: usize,
}

impl Socket {
    pub(crate) fn open(target: &Target) -> Result<Self, Failure> {
        Self::open_with(target, |_| Ok(()))
    }

    /// With the smallest buffers, so that the server soon feels it when we do not read.
    pub(crate) fn open_narrow(target: &Target) -> Result<Self, Failure> {
        Self::open_with(target, |socket| {
            socket.set_recv_buffer_size(4096)?;
            socket.set_send_buffer_size(4096)
        })
    }

    /// The same, and with segments as short as on Ethernet: on loopback alone the server's kernel would take megabytes for one.
    pub(crate) fn open_distant(target: &Target) -> Result<Self, Failure> {
        Self::open_with(target, |socket| {
            socket.set_recv_buffer_size(4096)?;
            socket.set_tcp_mss(1460)
        })
    }

    fn open_with(
        target: &Target,
        configure: impl FnOnce(&socket2::Socket) -> io::Result<()>,
    ) -> Result<Self, Failure> {
        let open = || -> io::Result<TcpStream> {
            let socket =
                socket2::Socket::new(Domain::for_address(target.address), Type::STREAM, Some(Protocol::TCP))?;
            configure(&socket)?;
            socket.set_tcp_nodelay(true)?;
            socket.set_write_timeout(Some(target.patience))?;
            socket.connect_timeout(&target.address.into(), target.patience)?;
            Ok(socket.into())
        };
        let stream = open().map_err(|error| {
            Failure::new(format!("a connection to {}", target.address), error.to_string())
        })?;
        Ok(Self { stream, patience: target.patience, input: Vec::new(), start: 0 })
    }

    /// When an answer that is awaited from now on is overdue.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.patience
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Interruption> {
        self.stream.write_all(bytes).map_err(|error| self.interruption(&error))
    }

    /// Sends each byte on its own, with a pause in which the server can see that there is no more.
    pub(crate) fn send_byte_by_byte(&mut self, bytes: &[u8]) -> Result<(), Interruption> {
        for byte in bytes.chunks(1) {
            self.send(byte)?;
            thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    /// Sends as much of `bytes` as the server takes until it has taken none for `stall`; how much it was.
    pub(crate) fn send_until_stall(&mut self, bytes: &[u8], stall: Duration) -> Result<usize, Interruption> {
        let set = |stream: &TcpStream, timeout| stream.set_write_timeout(Some(timeout));
        let mut sent = 0;
        let result = set(&self.stream, stall).and_then(|()| {
            while sent < bytes.len() {
                match self.stream.write(&bytes[sent..]) {
                    Ok(more) => sent += more,
                    Err(error) if is_timeout(&error) => break,
                    Err(error) => return Err(error),
                }
            }
            set(&self.stream, self.patience)
        });
        result.map(|()| sent).map_err(|error| self.interruption(&error))
    }

    /// What was received and not consumed.
    pub(crate) fn unread(&mut self) -> &mut [u8] {
        &mut self.input[self.start..]
    }

    /// Takes the first `bytes` of what is unread away.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
    }

    /// Waits for at least one more byte behind those unread.
    pub(crate) fn receive(&mut self, deadline: Instant) -> Result<(), Interruption> {
        const READ_BYTES: usize = 64 * 1024;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Interruption::Silence(self.patience));
        }
        self.input.drain(..self.start);
        self.start = 0;
        let held = self.input.len();
        self.input.resize(held + READ_BYTES, 0);
        let read =
            self.stream.set_read_timeout(Some(left)).and_then(|()| self.stream.read(&mut self.input[held..]));
        self.input.truncate(held + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(Interruption::End),
            Ok(_) => Ok(()),
            // Whoever waits looks again, until the deadline.
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(self.interruption(&error)),
        }
    }

    /// Awaits the end of the connection, before which nothing more may come.
    pub(crate) fn expect_end(&mut self) -> Result<(), Failure> {
        const EXPECTED: &str = "the end of the connection";
        let deadline = self.deadline();
        loop {
            if !self.unread().is_empty() {
                return Err(Failure::new(EXPECTED, abbreviate(self.unread())));
            }
            match self.receive(deadline) {
                Ok(()) => {}
                Err(interruption) if interruption.is_end() => return Ok(()),
                Err(interruption) => return Err(interruption.awaiting(EXPECTED)),
            }
        }
    }

    /// A second handle of the connection, to send with while this one reads.
    pub(crate) fn duplicate(&self) -> Result<Self, Failure> {
        let stream = self.stream.try_clone();
        let stream =
            stream.map_err(|error| Failure::new("a second handle of a socket", error.to_string()))?;
        Ok(Self { stream, patience: self.patience, input: Vec::new(), start: 0 })
    }

    /// Says that no more will be sent, and goes on reading.
    pub(crate) fn finish_sending(&self) {
        // It fails if the server has ended the connection, which whoever reads on will see.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Ends the connection with a reset, as a process does that is killed with unread input.
    pub(crate) fn reset(self) -> Result<(), Failure> {
        SockRef::from(&self.stream)
            .set_linger(Some(Duration::ZERO))
            .map_err(|error| Failure::new("a socket that can be reset", error.to_string()))
    }

    /// Takes no segment of the server's from now on, and so acknowledges none: as a client does whose machine or
    /// network is gone. A socket filter drops them before TCP sees them (bpf(4): `ret #0`).
    pub(crate) fn vanish(&self) -> Result<(), Failure> {
        const RETURN: u16 = 0x06;
        SockRef::from(&self.stream)
            .attach_filter(&[SockFilter::new(RETURN, 0, 0, 0)])
            .map_err(|error| Failure::new("a socket that takes a filter", error.to_string()))
    }

    /// The bare connection, if nothing is left unread: it holds no buffer here, and its reads wait for the patience.
    pub(crate) fn into_stream(self) -> Result<TcpStream, Failure> {
        let unread = &self.input[self.start..];
        ensure(unread.is_empty(), "nothing more as yet", abbreviate(unread))?;
        let error = |error: io::Error| Failure::new("a socket that waits", error.to_string());
        self.stream.set_read_timeout(Some(self.patience)).map_err(error)?;
        Ok(self.stream)
    }

    /// Our end of the connection.
    pub(crate) fn local_address(&self) -> Result<SocketAddr, Failure> {
        self.stream.local_addr().map_err(|error| Failure::new("a socket with an address", error.to_string()))
    }

    fn interruption(&self, error: &io::Error) -> Interruption {
        match error.kind() {
            _ if is_timeout(error) => Interruption::Silence(self.patience),
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
                Interruption::End
            }
            _ => Interruption::Broken(error.to_string()),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
