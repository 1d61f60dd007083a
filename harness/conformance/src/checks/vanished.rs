//! Clients that vanish without a word: what they do not acknowledge tells.

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::check::ensure;
use crate::client::calls::{COUNTDOWN, ECHO, await_stats, settled, total};
use crate::client::events::EventStream;
use crate::client::http::Http;
use crate::client::websocket::WebSocket;
use crate::{Check, Failure, Target};

pub(super) const CHECKS: &[Check] = &[Check {
    name: "clients-that-vanish-are-ended",
    standard: "contract, clients that go away",
    run: vanished,
}];

/// The target, with the patience that the loss of a client takes: the question, its timeout, and the kernel's own
/// timers, of which the last before the timeout may double it.
fn patient(target: &Target) -> Target {
    let timing = &target.timing;
    let question =
        Duration::from_millis(timing.heartbeat_ms) + Duration::from_secs(timing.tcp_keepalive_s.into());
    let timeout = Duration::from_millis(timing.tcp_user_timeout_ms.into());
    Target { patience: target.patience + 2 * (question + timeout), ..target.clone() }
}

/// All at once, since it takes its time.
fn vanished(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    let stays = EventStream::subscribe(target)?;
    let subscribers = [WebSocket::subscribe(target)?.socket, EventStream::subscribe(target)?.socket];
    await_stats(target, "3 subscribers", |stats| total(stats) == 3)?;
    let mut idle = Http::connect(target)?;
    idle.stats()?;
    let mut others = vec![("GET /stats", idle.socket)];
    for path in [ECHO, COUNTDOWN] {
        let mut websocket = WebSocket::connect(target, path)?;
        websocket.expect_quiet()?;
        others.push((path, websocket.socket));
    }
    for socket in subscribers.iter().chain(others.iter().map(|(_, socket)| socket)) {
        socket.vanish()?;
    }
    let target = patient(target);
    let deadline = Instant::now() + target.patience;
    let stats = await_stats(&target, "1 subscriber, as 2 of 3 vanished,", |stats| total(stats) <= 1)?;
    ensure(stats.subscribers.sse == 1, "the one that is still there", format!("{stats:?}"))?;
    drop(stays);
    for (path, socket) in &others {
        while is_held(target.address, socket.local_address()?)? {
            let expected = format!("the end of a connection whose client vanished after {path}");
            ensure(Instant::now() < deadline, expected, format!("it is held after {:?}", target.patience))?;
            thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

/// Does the kernel hold the server's end of a connection as an open one (proc_net_tcp(5))?
fn is_held(server: SocketAddr, client: SocketAddr) -> Result<bool, Failure> {
    const ESTABLISHED: &str = "01";
    let file = if server.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let table = fs::read_to_string(file).map_err(|error| Failure::new(file, error.to_string()))?;
    let port = |field: Option<&str>| {
        field.and_then(|address| u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok())
    };
    Ok(table.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let ports = (port(fields.next()), port(fields.next()));
        ports == (Some(server.port()), Some(client.port())) && fields.next() == Some(ESTABLISHED)
    }))
}
