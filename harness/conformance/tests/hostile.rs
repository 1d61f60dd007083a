//! Hostile clients find out the servers that do not bear them.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use conformance::{Target, assault};

#[test]
fn a_server_that_reads_each_connection_to_its_end_bears_them() {
    let address =
        serve(usize::MAX, |mut stream| while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {});
    assert_eq!(assault(&target(address, 20_000), 1..301, || true), Ok(300));
}

#[test]
fn a_server_that_hangs_is_found_out_with_seed_and_bytes_and_the_same_seed_does_it_again() {
    let address = serve(usize::MAX, |stream| {
        thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    let casualty = assault(&target(address, 100), 1..301, || true).expect_err("it ends no connection");
    assert!(casualty.failure.observed.contains("nothing more within"), "{casualty}");
    let again = assault(&target(address, 100), casualty.seed..casualty.seed + 1, || true).expect_err("again");
    assert_eq!(again.bytes, casualty.bytes);
}

#[test]
fn a_server_that_is_gone_is_found_out() {
    let address = serve(100, drop);
    let casualty = assault(&target(address, 20_000), 1..301, || true).expect_err("it takes 100 connections");
    assert!(casualty.failure.expected.contains("a connection to"), "{casualty}");
}

#[test]
fn nothing_is_sent_when_it_is_over() {
    let address = serve(usize::MAX, drop);
    assert_eq!(assault(&target(address, 100), 1..301, || false), Ok(0));
}

fn target(address: SocketAddr, patience_ms: u64) -> Target {
    Target { patience: Duration::from_millis(patience_ms), ..Target::new(address) }
}

/// Serves so many connections, and then listens no more.
fn serve(connections: usize, behave: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten().take(connections) {
            let behave = behave.clone();
            thread::spawn(move || behave(stream));
        }
    });
    address
}
