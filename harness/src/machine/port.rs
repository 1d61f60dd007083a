//! TCP ports: whether one is free, and who holds it.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, all_processes};

/// Checks that a server could listen at `address`.
///
/// # Errors
/// It could not: who holds the port, and what to do.
pub fn check_free(address: SocketAddr) -> Result<()> {
    // std sets SO_REUSEADDR, so connections of an earlier server that still time out are no obstacle.
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let port = address.port();
            let holder = holder(port).map_or_else(String::new, |holder| format!(" by {holder}"));
            bail!("port {port} is held{holder}: end that process, or choose another port with --port")
        }
        Err(error) => {
            bail!("cannot listen on {address}: {error}; choose another address with --host and --port")
        }
    }
}

/// Waits until a server could listen at `address` again.
///
/// # Errors
/// It could not within `time`.
pub fn wait_until_free(address: SocketAddr, time: Duration) -> Result<()> {
    let deadline = Instant::now() + time;
    loop {
        match check_free(address) {
            Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(5)),
            result => return result,
        }
    }
}

/// Is the port one that the kernel gives to outgoing connections? Then the load generator itself may take it.
#[must_use]
pub fn in_local_range(port: u16) -> Option<(u16, u16)> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut bounds = text.split_whitespace().map(str::parse);
    let (Some(Ok(first)), Some(Ok(last))) = (bounds.next(), bounds.next()) else { return None };
    (first..=last).contains(&port).then_some((first, last))
}

/// How many sockets listen on `port`.
#[must_use]
pub fn listeners(port: u16) -> usize {
    listening(port).count()
}

fn listening(port: u16) -> impl Iterator<Item = TcpNetEntry> {
    let tables = [procfs::net::tcp().unwrap_or_default(), procfs::net::tcp6().unwrap_or_default()];
    let listens =
        move |entry: &TcpNetEntry| entry.state == TcpState::Listen && entry.local_address.port() == port;
    tables.into_iter().flatten().filter(listens)
}

/// Name and id of the process that listens on `port`, if this user may see it.
fn holder(port: u16) -> Option<String> {
    let inode = listening(port).next()?.inode;
    all_processes().ok()?.flatten().find_map(|process| {
        let holds = process
            .fd()
            .ok()?
            .flatten()
            .any(|fd| matches!(fd.target, FDTarget::Socket(held) if held == inode));
        holds.then(|| {
            format!("{} (process {})", process.stat().map_or_else(|_| "?".into(), |s| s.comm), process.pid)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_port_is_named_and_a_free_port_is_free() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let error = check_free(address).expect_err("held").to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        assert!(error.contains("--port"), "{error}");
        drop(listener);
        wait_until_free(address, Duration::from_secs(5)).expect("free again");
    }
}
