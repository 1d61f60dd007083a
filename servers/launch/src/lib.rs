//! What every contender in Rust does before its framework starts: the same listener, the same limits, and the
//! same way to be several processes.
//!
//! SIGTERM needs nothing here: its default action ends the process at once, and the kernel closes its sockets.

mod processes;
mod version;
mod workers;

pub use version::version_of;
pub use workers::{accept, run};

use std::io;
use std::net::{SocketAddr, TcpListener};

use contract::Settings;
use rustix::process::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// A listener at the settings' address: non-blocking, with the same options for every contender.
///
/// `TCP_NODELAY` is set on the listener, from which Linux hands it to each accepted connection, since
/// not every framework lets us set it there.
///
/// # Errors
/// The address is in use, or not of this machine. With `PROCESSES` above 1 this process only starts those that
/// serve: it returns when one of them has ended, which is an error.
pub fn listen(settings: &Settings) -> io::Result<TcpListener> {
    raise_open_files();
    let address = settings.address();
    if processes::is_one_of_several()? {
        return bind(address, true);
    }
    let listener = bind(address, false)?;
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
fn bind(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket
        .bind(&address.into())
        .and_then(|()| socket.listen(BACKLOG))
        .map_err(|error| io::Error::new(error.kind(), format!("failed to listen on {address}: {error}")))?;
    Ok(socket.into())
}

/// Raises the soft limit of open files to the hard one; a failure leaves it, and connections are refused sooner.
fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
