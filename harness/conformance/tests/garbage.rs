//! Servers that are no contenders: every check fails against them, soon and without a panic.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use conformance::{Report, Target, checks, verify};

#[test]
fn no_check_passes_where_nothing_listens() {
    let address = serve(|_| {});
    // A port that was free a moment ago, and is not listened on: one that another listener has connected from.
    let held = TcpStream::connect(address).expect("the listener is there");
    let nobody = held.local_addr().expect("a connected socket has an address");
    all_fail(&report(nobody));
}

#[test]
fn no_check_passes_by_silence() {
    all_fail(&report(serve(|mut stream| while stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {})));
}

#[test]
fn no_check_passes_by_the_end_of_the_connection() {
    all_fail(&report(serve(drop)));
}

#[test]
fn no_check_passes_by_noise() {
    all_fail(&report(serve(|mut stream| {
        let mut noise = [0; 4096];
        fastrand::Rng::with_seed(9).fill(&mut noise);
        let _ = stream.write_all(&noise);
    })));
}

#[test]
fn no_check_passes_by_an_answer_without_end() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n";
    all_fail(&report(serve(move |stream| flood(stream, head.as_bytes()))));
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff0\r\n";
    all_fail(&report(serve(move |stream| flood(stream, chunk.as_bytes()))));
    all_fail(&report(serve(move |stream| flood(stream, b"HTTP/1.1 200 OK\r\n\r\n"))));
    all_fail(&report(serve(move |stream| flood(stream, b""))));
}

#[test]
fn numbers_beyond_all_counting_do_not_overflow() {
    let report = report(serve(|mut stream| {
        let mut request = [0; 16 * 1024];
        while let Ok(read @ 1..) = stream.read(&mut request) {
            let most = u64::MAX;
            let (status, body) = if request[..read].starts_with(b"POST") {
                (202, format!(r#"{{"id":{most},"subscribers":{most}}}"#))
            } else {
                let subscribers = r#"{"websocket":0,"sse":0,"long_poll":0}"#;
                let dropped = format!(r#"{{"lagged":{most}}}"#);
                let body =
                    format!(r#"{{"subscribers":{subscribers},"publications":{most},"dropped":{dropped}}}"#);
                (200, body)
            };
            let length = body.len();
            let head = format!("HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n");
            let _ = stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes());
        }
    }));
    assert_eq!(report.results.len(), checks().len());
    let failed =
        report.failures().any(|(_, failure)| failure.expected.contains("numbers that can be counted to"));
    assert!(failed, "{report:?}");
}

#[test]
fn a_message_without_end_is_not_collected() {
    let accept = framing::accept_key("dGhlIHNhbXBsZSBub25jZQ==");
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    // A text of 2^63-1 bytes begins.
    let flooded = [head.as_bytes(), b"\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"].concat();
    let address = serve(move |stream| flood(stream, &flooded));
    let target = Target { patience: Duration::from_secs(20), ..Target::new(address) };
    let report = verify(&target, |check| check.name == "pings-are-answered-with-their-bytes", |_, _| {});
    let (_, failure) = report.failures().next().expect("no pong came");
    assert_eq!(failure.observed, "a message of more than 16777216 bytes");
}

/// Sends `start`, and then filler for ever.
fn flood(mut stream: TcpStream, start: &[u8]) {
    let filler = [b'0'; 64 * 1024];
    let mut sent = stream.write_all(start);
    while sent.is_ok() {
        sent = stream.write_all(&filler);
    }
}

fn serve(behave: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let behave = behave.clone();
            thread::spawn(move || behave(stream));
        }
    });
    address
}

fn report(address: SocketAddr) -> Report {
    let target = Target { patience: Duration::from_millis(100), ..Target::new(address) };
    verify(&target, |_| true, |_, _| {})
}

fn all_fail(report: &Report) {
    assert!(!report.passed());
    let passed: Vec<_> =
        report.results.iter().filter(|(_, outcome)| *outcome == conformance::Outcome::Passed).collect();
    assert!(passed.is_empty(), "{passed:?}");
    assert_eq!(report.results.len(), checks().len());
}

#[test]
fn nothing_is_proved_by_no_check() {
    let target = Target::new(serve(drop));
    assert!(!verify(&target, |_| false, |_, _| {}).passed());
}
