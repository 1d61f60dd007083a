use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};

use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use crate::http::Upgrade;

/// One connection, with the state that its workload keeps in it. No buffer is held while it is idle.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    /// `None` before it begins and when it is gone.
    pub(super) socket: Option<TcpStream>,
    /// Until it is open.
    pub(super) opening: Option<Box<Opening>>,
    /// What the kernel did not take of the last send.
    unsent: Option<Box<[u8]>>,
    pub(super) state: S,
}

/// A connection on its way.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) began_ns: u64,
    /// From when TCP has connected, if there is to be an upgrade.
    pub(super) upgrade: Option<Upgrade>,
}

impl<S> Connection<S> {
    pub(super) fn new(state: S) -> Self {
        Self { socket: None, opening: None, unsent: None, state }
    }

    /// Begins to connect.
    pub(super) fn begin(&mut self, target: SocketAddr, now_ns: u64) -> io::Result<&TcpStream> {
        self.opening = Some(Box::new(Opening { began_ns: now_ns, upgrade: None }));
        let socket = connect(target)?;
        Ok(self.socket.insert(socket))
    }

    /// Is it open, with nothing unsent?
    pub(super) fn may_send(&self) -> bool {
        self.socket.is_some() && self.opening.is_none() && self.unsent.is_none()
    }

    /// Sends all of `bytes` with one call. What the kernel does not take is kept.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sent = self.write(bytes)?;
        if sent < bytes.len() {
            self.unsent = Some(bytes[sent..].into());
        }
        Ok(())
    }

    /// Sends what was kept, as far as the kernel takes it.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        match self.unsent.take() {
            Some(bytes) => self.send(&bytes),
            None => Ok(()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(socket) = &mut self.socket else { return Ok(bytes.len()) };
        loop {
            match socket.write(bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
                other => return other,
            }
        }
    }
}

/// A socket that connects, without waiting for it.
fn connect(target: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(target), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&target.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(socket.into()),
    }
}
