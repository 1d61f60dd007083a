//! What every contender in Rust does before its framework starts: the same listener, the same limits, and the
//! same way to be several processes.
//!
//! SIGTERM needs nothing here: its default action ends the process at once, and the kernel closes its sockets.

mod event_stream;
mod processes;
mod variant;
mod version;
mod workers;

pub use event_stream::{Heartbeat, event_stream};
pub use variant::Variant;
pub use version::version_of;
pub use workers::{accept, run};

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use contract::{Settings, Timing};
use rustix::process::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

/// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// A listener at the settings' address: non-blocking, with the same options for every contender.
///
/// What is set on the listener Linux hands to each accepted connection: not every framework lets us set it there.
///
/// # Errors
/// The address is in use, or not of this machine. With `PROCESSES` above 1 this process only starts those that
/// serve: it returns when one of them has ended, which is an error.
pub fn listen(settings: &Settings) -> io::Result<TcpListener> {
    raise_open_files();
    let address = settings.address();
    if processes::is_one_of_several()? {
        return bind(address, true, settings.timing);
    }
    let listener = bind(address, false, settings.timing)?;
    match settings.processes.get() {
        1 => Ok(listener),
        count => {
            // It was free: now others are to have it.
            drop(listener);
            Err(processes::lead(count, address))
        }
    }
}

/// `shared`: each of several sockets at one address gets its share of the connections (`SO_REUSEPORT`, socket(7)).
fn bind(address: SocketAddr, shared: bool, timing: Timing) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_tcp_nodelay(true)?;
    notice_who_vanishes(&socket, timing)?;
    socket.set_nonblocking(true)?;
    socket
        .bind(&address.into())
        .and_then(|()| socket.listen(BACKLOG))
        .map_err(|error| io::Error::new(error.kind(), format!("failed to listen on {address}: {error}")))?;
    Ok(socket.into())
}

/// Has the kernel end a connection whose client acknowledges nothing (tcp(7)): its subscription ends with it.
fn notice_who_vanishes(socket: &Socket, timing: Timing) -> io::Result<()> {
    if timing.tcp_keepalive_s > 0 {
        let period = Duration::from_secs(timing.tcp_keepalive_s.into());
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(period).with_interval(period))?;
    }
    if timing.tcp_user_timeout_ms > 0 {
        socket.set_tcp_user_timeout(Some(Duration::from_millis(timing.tcp_user_timeout_ms.into())))?;
    }
    Ok(())
}

/// Raises the soft limit of open files to the hard one; a failure leaves it, and connections are refused sooner.
fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use contract::Timing;
    use socket2::SockRef;

    use super::bind;

    #[test]
    fn an_accepted_connection_has_the_options_of_the_listener() {
        let timing = Timing { tcp_keepalive_s: 7, tcp_user_timeout_ms: 4321, ..Timing::default() };
        let listener = bind("127.0.0.1:0".parse().expect("an address"), false, timing).expect("a free port");
        listener.set_nonblocking(false).expect("a listener");
        let address = listener.local_addr().expect("a listener has an address");
        let _client = TcpStream::connect(address).expect("it listens");
        let (stream, _) = listener.accept().expect("a connection");
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().expect("an option"));
        assert!(socket.keepalive().expect("an option"));
        assert_eq!(socket.tcp_keepalive_time().expect("an option"), Duration::from_secs(7));
        assert_eq!(socket.tcp_keepalive_interval().expect("an option"), Duration::from_secs(7));
        assert_eq!(socket.tcp_user_timeout().expect("an option"), Some(Duration::from_millis(4321)));
    }
}
