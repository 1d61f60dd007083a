use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::num::NonZeroU32;

use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::{Domain, Protocol, Socket, Type};

use super::Sources;
use crate::http::Upgrade;
use crate::loss::Loss;

/// Source addresses that are tried, one after the other, for one connection.
const MAX_SOURCES: usize = 4;

/// One connection, with the state that its workload keeps in it. No buffer is held while it is idle.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    /// `None` before it begins and when it is gone.
    pub(super) socket: Option<TcpStream>,
    /// Until it is open.
    pub(super) opening: Option<Box<Opening>>,
    /// What the kernel did not take of the last send.
    unsent: Option<Box<[u8]>>,
    /// Number of its life on the loop's ring, if it is there.
    pub(super) on_ring: Option<NonZeroU32>,
    pub(super) state: S,
}

/// A connection on its way.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) began_ns: u64,
    pub(super) step: Step,
}

/// How far a connection has come that is not open.
#[derive(Debug)]
pub(super) enum Step {
    /// TCP connects.
    Connecting,
    /// The upgrade is asked for.
    Upgrading(Upgrade),
    /// The workload has asked, and will say when it is open.
    Asking,
}

impl<S> Connection<S> {
    pub(super) fn new(state: S) -> Self {
        Self { socket: None, opening: None, unsent: None, on_ring: None, state }
    }

    /// Begins to connect.
    pub(super) fn begin(
        &mut self,
        target: SocketAddr,
        sources: &Sources,
        now_ns: u64,
    ) -> io::Result<&TcpStream> {
        self.opening = Some(Box::new(Opening { began_ns: now_ns, step: Step::Connecting }));
        self.unsent = None;
        let socket = connect(target, sources)?;
        Ok(self.socket.insert(socket))
    }

    /// Is it open, with nothing unsent?
    pub(super) fn may_send(&self) -> bool {
        self.socket.is_some() && self.opening.is_none() && self.unsent.is_none()
    }

    /// Sends all of `bytes` with one call. What the kernel does not take is kept.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sent = self.write(bytes)?;
        self.keep(&bytes[sent..]);
        Ok(())
    }

    /// Keeps bytes until the kernel takes them, behind those that are kept.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let kept = self.unsent.take().unwrap_or_default();
            self.unsent = Some([&kept, bytes].concat().into());
        }
    }

    /// Sends what was kept, as far as the kernel takes it.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        match self.unsent.take() {
            Some(bytes) => self.send(&bytes),
            None => Ok(()),
        }
    }

    /// Ends this side's half. The server should have been the first (RFC 6455, section 7.1.1; RFC 9112, section 9.6), but
    /// some wait for the client.
    pub(super) fn end(&self) {
        if let Some(socket) = &self.socket {
            // One that has ended meanwhile is not connected any more.
            let _ = socket.shutdown(Shutdown::Write);
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let Some(socket) = &self.socket else { return Ok(bytes.len()) };
        match retry_on_intr(|| send(socket, bytes, SendFlags::NOSIGNAL)) {
            Err(Errno::AGAIN) => Ok(0),
            other => Ok(other?),
        }
    }

    /// What has arrived, as far as it fits into `buffer`: how much it is. `None` if nothing has arrived.
    ///
    /// # Errors
    /// The connection has ended, or been reset.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> Result<Option<usize>, Loss> {
        let Some(socket) = &self.socket else { return Ok(None) };
        match retry_on_intr(|| recv(socket, &mut *buffer, RecvFlags::empty())) {
            Ok((0, _)) => Err(Loss::Ended),
            Ok((length, _)) => Ok(Some(length)),
            Err(Errno::AGAIN) => Ok(None),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }
}

/// A socket that connects, without waiting for it, from the first address that has a port left.
fn connect(target: SocketAddr, sources: &Sources) -> io::Result<TcpStream> {
    let mut tried = 1;
    loop {
        match connect_from(sources.next(), target) {
            Err(error)
                if error.kind() == ErrorKind::AddrNotAvailable
                    && tried < MAX_SOURCES
                    && sources.skip_address() =>
            {
                tried += 1;
            }
            other => return other,
        }
    }
}

fn connect_from(source: Option<Ipv4Addr>, target: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(target), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    socket.set_tcp_nodelay(true)?;
    if let Some(address) = source {
        // The port is chosen when it connects, and only has to be free towards this server (ip(7)).
        setsockopt(&socket, IpBindAddressNoPort, &true)?;
        socket.bind(&SocketAddr::from((address, 0)).into())?;
    }
    match socket.connect(&target.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(socket.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::Connection;
    use crate::{broadcast, connect, countdown, echo};

    #[test]
    fn a_connection_is_small() {
        assert!(size_of::<Connection<echo::Peer>>() < 200);
        assert!(size_of::<Connection<broadcast::Peer>>() < 200);
        assert!(size_of::<Connection<countdown::Peer>>() < 256);
        assert!(size_of::<Connection<connect::Peer>>() < 256);
    }
}
