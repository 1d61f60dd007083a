//! What the kernel counts of a connection: `TCP_INFO` (tcp(7), linux/tcp.h), of which nix knows how to ask but not the form.

use std::net::TcpStream;

use nix::libc;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::GetStruct;

use crate::wire::{Flow, Flows};

/// The beginning of the kernel's `struct tcp_info`, as far as Linux 4.19 has it: later ones append to it, and give as
/// much as is asked for.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct TcpInfo {
    _before: [u64; 16],
    bytes_received: u64,
    segs_out: u32,
    segs_in: u32,
    _between: [u64; 7],
    bytes_sent: u64,
}

#[derive(Debug, Clone, Copy)]
struct Info;

nix::getsockopt_impl!(Info, libc::IPPROTO_TCP, libc::TCP_INFO, TcpInfo, GetStruct<TcpInfo>);

/// What has gone over a connection so far; nothing if the kernel does not say. A system call of about a microsecond.
pub(super) fn flows(socket: &TcpStream) -> Flows {
    let Ok(info) = getsockopt(socket, Info) else { return Flows::default() };
    Flows {
        to_server: Flow { bytes: info.bytes_sent, segments: u64::from(info.segs_out) },
        to_client: Flow { bytes: info.bytes_received, segments: u64::from(info.segs_in) },
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::mem::offset_of;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_form_is_that_of_the_systems_headers() {
        use libc::tcp_info;
        assert_eq!(offset_of!(TcpInfo, bytes_received), offset_of!(tcp_info, tcpi_bytes_received));
        assert_eq!(offset_of!(TcpInfo, segs_out), offset_of!(tcp_info, tcpi_segs_out));
        assert_eq!(offset_of!(TcpInfo, segs_in), offset_of!(tcp_info, tcpi_segs_in));
        assert_eq!(offset_of!(TcpInfo, bytes_sent), offset_of!(tcp_info, tcpi_bytes_sent));
    }

    #[test]
    fn bytes_and_segments_are_those_that_went_over_it() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut here = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (mut there, _) = listener.accept().expect("the same connection");
        let before = flows(&here);
        assert_eq!((before.to_server.bytes, before.to_client.bytes), (0, 0));
        here.write_all(&[1; 100]).expect("room");
        there.read_exact(&mut [0; 100]).expect("what was sent");
        there.write_all(&[2; 70_000]).expect("room");
        here.read_exact(&mut [0; 70_000]).expect("what was sent");
        let (mine, theirs) = (flows(&here), flows(&there));
        assert_eq!((mine.to_server.bytes, mine.to_client.bytes), (100, 70_000));
        assert_eq!((theirs.to_server.bytes, theirs.to_client.bytes), (70_000, 100));
        let since = mine.since(before);
        assert!(since.to_server.segments >= 1 && since.to_client.segments >= 2, "{since:?}");
    }
}
