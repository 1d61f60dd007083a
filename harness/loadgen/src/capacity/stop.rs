use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::memory::{is_at_file_limit, resident_bytes};
use super::record::Stop;
use crate::loss::Loss;
use crate::tally::Tally;

/// The server, as far as it can be seen from outside.
#[derive(Debug)]
pub(super) struct Server<'a> {
    pub(super) target: SocketAddr,
    /// Its processes, if they are known.
    pub(super) pids: &'a [u32],
}

impl Server<'_> {
    /// Resident memory of its processes, in bytes; `None` if they are not known, or one is gone.
    pub(super) fn resident_bytes(&self) -> Option<u64> {
        let bytes: Option<u64> = self.pids.iter().map(|&pid| resident_bytes(pid)).sum();
        bytes.filter(|_| !self.pids.is_empty())
    }

    fn is_dead(&self) -> bool {
        let refuses = || {
            let connected = TcpStream::connect_timeout(&self.target, Duration::from_secs(1));
            connected.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
        };
        self.pids.iter().any(|&pid| resident_bytes(pid).is_none()) || refuses()
    }

    fn is_at_file_limit(&self) -> bool {
        self.pids.iter().any(|&pid| is_at_file_limit(pid))
    }
}

/// Why no more connections are added, if something was wrong with those that are there.
pub(super) fn fault(tally: &Tally, server: &Server<'_>) -> Option<Stop> {
    let failed = &tally.connections.failed;
    let failed_by = |loss: Loss| failed.contains_key(&loss.to_string());
    if failed_by(Loss::NoLocalPort) {
        Some(Stop::Ports)
    } else if failed_by(Loss::NoFile) {
        Some(Stop::OwnFileLimit)
    } else if failed.is_empty() && tally.connections.lost == 0 {
        None
    } else if server.is_dead() {
        Some(Stop::Died)
    } else if server.is_at_file_limit() {
        Some(Stop::ServerFileLimit)
    } else if tally.connections.lost == 0 && failed.len() == 1 && failed_by(Loss::TimedOut) {
        Some(Stop::ConnectTooSlow)
    } else {
        Some(Stop::Refused)
    }
}

/// Why no more connections are added, if the sweep that was counted here was not good enough.
pub(super) fn fault_of_sweep(tally: &Tally, limit_ns: u64) -> Option<Stop> {
    let too_slow = tally.latency.quantile_ns(0.99).is_some_and(|p99_ns| p99_ns > limit_ns);
    if too_slow || tally.errors.contains_key(super::NO_REPLY) {
        Some(Stop::SweepTooSlow)
    } else if tally.errors.is_empty() {
        None
    } else {
        Some(Stop::WrongReply)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn failed(losses: &[Loss]) -> Tally {
        let mut tally = Tally::default();
        for loss in losses {
            tally.failed(loss.to_string());
        }
        tally
    }

    #[test]
    fn failures_are_told_apart_by_their_causes_and_the_state_of_the_server() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let target = listener.local_addr().expect("a listener has an address");
        let server = Server { target, pids: &[std::process::id()] };
        assert_eq!(fault(&failed(&[]), &server), None);
        assert_eq!(fault(&failed(&[Loss::TimedOut, Loss::NoLocalPort]), &server), Some(Stop::Ports));
        assert_eq!(fault(&failed(&[Loss::NoFile]), &server), Some(Stop::OwnFileLimit));
        assert_eq!(fault(&failed(&[Loss::TimedOut]), &server), Some(Stop::ConnectTooSlow));
        assert_eq!(fault(&failed(&[Loss::TimedOut, Loss::Status(503)]), &server), Some(Stop::Refused));
        assert_eq!(fault(&failed(&[Loss::Reset]), &server), Some(Stop::Refused));
        let gone = Server { target, pids: &[u32::MAX] };
        assert_eq!(fault(&failed(&[Loss::Reset]), &gone), Some(Stop::Died));
        drop(listener);
        assert_eq!(fault(&failed(&[Loss::Reset]), &server), Some(Stop::Died));
    }

    #[test]
    fn a_sweep_is_too_slow_by_its_99th_percentile_and_by_what_never_came() {
        let mut tally = Tally::default();
        (0..100).for_each(|_| tally.latency.record_ns(1_000));
        tally.latency.record_ns(1_000_000);
        assert_eq!(fault_of_sweep(&tally, 2_000), None);
        assert_eq!(fault_of_sweep(&tally, 500), Some(Stop::SweepTooSlow));
        tally.error("a reply that differs from what was sent", 1);
        assert_eq!(fault_of_sweep(&tally, 2_000), Some(Stop::WrongReply));
        tally.error(super::super::NO_REPLY, 1);
        assert_eq!(fault_of_sweep(&tally, 2_000), Some(Stop::SweepTooSlow));
    }
}
