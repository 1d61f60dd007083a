//! The least a server can do: the limit the other contenders are shown against.
//!
//! - [`event_loop`]: epoll, one loop a thread; who is to be served next
//! - [`team`], [`bell`]: how loops share connections, and how a publication in one wakes the others
//! - [`timers`]: when polls end and heartbeats are due
//! - [`slab`]: where connections lie, and how an event finds its own
//! - [`connection`]: one socket: when to read, when to write, when to stop
//! - [`output`]: what is to be sent, in as few system calls as it takes
//! - [`session`]: what is said, without sockets: HTTP first, then perhaps a WebSocket
//! - [`http`], [`request`], [`chunked`], [`answer`]: HTTP/1.1, as much of it as the contract needs
//! - [`stream`]: event streams
//! - [`websocket`]: messages out of frames

mod answer;
mod bell;
mod chunked;
mod connection;
mod event_loop;
mod http;
mod output;
mod request;
mod session;
mod slab;
mod stream;
mod team;
mod timers;
mod websocket;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use contract::{App, Settings};
use event_loop::EventLoop;
use team::Team;

type CeilingApp = App<Bytes>;

fn main() -> ExitCode {
    let Err(error) = serve(&Settings::from_args());
    eprintln!("ceiling: {error}");
    ExitCode::FAILURE
}

fn serve(settings: &Settings) -> io::Result<std::convert::Infallible> {
    let app = new_app(settings);
    let listener = launch::listen(settings)?;
    let workers = settings.workers.get();
    let team = Arc::new(Team::new(workers)?);
    let everyone = Arc::clone(&team);
    app.hub().on_publication(move || everyone.ring_all());
    for member in 1..workers {
        let event_loop = EventLoop::new(member, Arc::clone(&team), listener.try_clone()?, app.clone())?;
        thread::Builder::new().name(format!("loop-{member}")).spawn(move || {
            let Err(error) = event_loop.run();
            eprintln!("ceiling: {error}");
            std::process::exit(1)
        })?;
    }
    EventLoop::new(0, team, listener, app)?.run()
}

/// There is no framework: the version is our own.
fn new_app(settings: &Settings) -> CeilingApp {
    App::new("ceiling", ("none", env!("CARGO_PKG_VERSION")), settings, websocket::text_frame)
}
