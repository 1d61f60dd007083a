use std::fs::read_to_string;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::RunError;

/// Linux's own range, where another cannot be read.
const DEFAULT_PORTS: u64 = 60_999 - 32_768 + 1;

/// Where connections come from. A connection is told from others by its four numbers, so a local address
/// reaches one server as often as there are local ports; all of 127.0.0.0/8 are local addresses of a
/// loopback server.
///
/// Copies take from the same ports.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    is_loopback: bool,
    per_address: u64,
    taken: Arc<AtomicU64>,
}

impl Sources {
    /// The sources of the connections to `target` from the one with this number on.
    pub(crate) fn new(target: SocketAddr, first: u64) -> Self {
        Self::with_ports(target, first, local_ports())
    }

    fn with_ports(target: SocketAddr, first: u64, ports: u64) -> Self {
        // Half of them: the kernel gives ports of one parity, and once these are gone it tries each again
        // before one of the others (`__inet_hash_connect`), for most of a millisecond a connection.
        let per_address = (ports / 2).max(1);
        Self { is_loopback: is_ipv4_loopback(target), per_address, taken: Arc::new(AtomicU64::new(first)) }
    }

    /// The address to connect from; `None` is for the system to choose.
    pub(super) fn next(&self) -> Option<Ipv4Addr> {
        let address = self.taken.fetch_add(1, Relaxed) / self.per_address;
        if !self.is_loopback || address == 0 {
            return None;
        }
        let offset = u32::try_from(address).unwrap_or(u32::MAX);
        Some(Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits().saturating_add(offset)))
    }

    /// The ports of the address that [`next`](Self::next) gave last are taken, if by others: may another be tried?
    pub(super) fn skip_address(&self) -> bool {
        let taken = self.taken.load(Relaxed);
        self.taken.fetch_max((taken / self.per_address + 1) * self.per_address, Relaxed);
        self.is_loopback
    }
}

/// Checks that so many connections can be told apart.
///
/// # Errors
/// The target is none of 127.0.0.0/8, and they are more than there are local ports: [`RunError::Ports`].
pub(crate) fn allow_ports(connections: u64, target: SocketAddr) -> Result<(), RunError> {
    let ports = local_ports();
    if connections > ports && !is_ipv4_loopback(target) {
        return Err(RunError::Ports { connections, ports, target });
    }
    Ok(())
}

fn is_ipv4_loopback(target: SocketAddr) -> bool {
    matches!(target.ip(), IpAddr::V4(address) if address.is_loopback())
}

fn local_ports() -> u64 {
    let range = read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = range.split_whitespace().map_while(|end| end.parse::<u64>().ok());
    match (ends.next(), ends.next()) {
        (Some(first), Some(last)) if first <= last => last - first + 1,
        _ => DEFAULT_PORTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(target: &str, first: u64, count: usize) -> Vec<Option<String>> {
        let sources = Sources::with_ports(target.parse().expect("an address"), first, 4);
        (0..count).map(|_| sources.next().map(|address| address.to_string())).collect()
    }

    #[test]
    fn a_loopback_server_is_reached_from_further_addresses_when_ports_run_out() {
        let some = |address: &str| Some(address.to_owned());
        let expected = [None, None, some("127.0.0.2"), some("127.0.0.2"), some("127.0.0.3")];
        assert_eq!(addresses("127.0.0.1:9001", 0, 5), expected);
        assert_eq!(addresses("127.0.0.1:9001", 510, 1), [some("127.0.1.0")]);
    }

    #[test]
    fn any_other_server_is_reached_from_the_systems_address() {
        assert_eq!(addresses("192.0.2.1:9001", 100, 3), [None, None, None]);
        assert_eq!(addresses("[::1]:9001", 100, 3), [None, None, None]);
    }

    #[test]
    fn an_address_whose_ports_others_hold_is_passed_over() {
        let sources = Sources::with_ports("127.0.0.1:1".parse().expect("an address"), 0, 4);
        assert_eq!(sources.next(), None);
        assert!(sources.skip_address());
        assert_eq!(sources.next(), Some(Ipv4Addr::new(127, 0, 0, 2)));
        assert!(!Sources::with_ports("192.0.2.1:1".parse().expect("an address"), 0, 4).skip_address());
    }

    #[test]
    fn more_connections_than_ports_are_refused_where_there_is_one_address() {
        let many = 1 << 20;
        assert!(allow_ports(many, ([127, 0, 0, 1], 9001).into()).is_ok());
        let refused = allow_ports(many, ([192, 0, 2, 1], 9001).into()).expect_err("too many");
        assert!(refused.to_string().contains("net.ipv4.ip_local_port_range"), "{refused}");
    }
}
