//! The kernel's memory for the buffers of sockets, by sock_diag(7), as `ss -m` reads it.

use std::io;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::nlas::{MemInfo, Nla};
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

/// Established TCP sockets, and what the kernel holds in their buffers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SocketBuffers {
    pub(super) sockets: u64,
    pub(super) bytes: u64,
}

impl SocketBuffers {
    /// Those of all sockets whose local port is this: the server's ends of its connections.
    ///
    /// # Errors
    /// The kernel does not say, as one without `CONFIG_INET_DIAG`.
    pub(super) fn of_port(port: u16) -> io::Result<Self> {
        let mut sum = Self::default();
        for (family, any) in [(AF_INET, SocketId::new_v4()), (AF_INET6, SocketId::new_v6())] {
            sum.add_all(InetRequest {
                family,
                protocol: IPPROTO_TCP,
                extensions: ExtensionFlags::SKMEMINFO,
                states: StateFlags::ESTABLISHED,
                socket_id: SocketId { source_port: port, ..any },
            })?;
        }
        Ok(sum)
    }

    fn add_all(&mut self, request: InetRequest) -> io::Result<()> {
        let (kind, flags) = (SocketType::DGRAM, SocketFlags::CLOEXEC);
        let socket = socket_with(AddressFamily::NETLINK, kind, flags, Some(netlink::SOCK_DIAG))?;
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        send(&socket, &bytes, SendFlags::empty())?;
        // As much as the kernel writes at a time.
        let mut received = vec![0; 32 * 1024];
        loop {
            let (length, _) = recv(&socket, &mut received[..], RecvFlags::empty())?;
            let mut rest = &received[..length];
            while !rest.is_empty() {
                let message =
                    NetlinkMessage::<SockDiagMessage>::deserialize(rest).map_err(io::Error::other)?;
                match message.payload {
                    NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(socket)) => self.add(&socket),
                    NetlinkPayload::Done(_) => return Ok(()),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    _ => {}
                }
                // Messages are aligned to 4 bytes (netlink(3), NLMSG_ALIGN).
                let taken = (message.header.length as usize).next_multiple_of(4);
                rest = rest.get(taken..).unwrap_or_default();
            }
        }
    }

    fn add(&mut self, socket: &InetResponse) {
        self.sockets += 1;
        for nla in &socket.nlas {
            if let Nla::MemInfo(memory) = nla {
                self.bytes += charged_bytes(memory);
            }
        }
    }
}

/// What is charged to a socket. What was handed down to the device (`sk_wmem_alloc`) is not added: of TCP it is a
/// second reference to what the send queue holds until it is acknowledged.
fn charged_bytes(memory: &MemInfo) -> u64 {
    let MemInfo { receive_queue, send_queue, cache, options, backlog_queue_length, .. } = *memory;
    [receive_queue, send_queue, cache, options, backlog_queue_length].into_iter().map(u64::from).sum()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_nobody_has_read_is_in_the_receivers_buffers() {
        for host in ["127.0.0.1", "::1"] {
            let Ok(listener) = TcpListener::bind((host, 0)) else { continue };
            let address = listener.local_addr().expect("an address");
            let of_port = || SocketBuffers::of_port(address.port()).expect("sock_diag");
            assert_eq!(of_port(), SocketBuffers::default());
            let mut clients: Vec<_> =
                (0..3).map(|_| TcpStream::connect(address).expect("a connection")).collect();
            let servers: Vec<_> = (0..3).map(|_| listener.accept().expect("a connection")).collect();
            let idle = of_port();
            assert_eq!(idle.sockets, 3);
            clients[0].write_all(&[b'x'; 10_000]).expect("written");
            let active = of_port();
            assert!(active.sockets == 3 && active.bytes >= idle.bytes + 10_000, "{idle:?} {active:?}");
            drop(servers);
        }
    }
}
