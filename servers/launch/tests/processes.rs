//! `PROCESSES`: several processes serve one port, and none is left when one of them or the first ends.
//!
//! The server is this very program: the test `server` serves if the environment says so.

use std::collections::BTreeSet;
use std::env::{current_exe, var};
use std::fs::read_to_string;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Parser;
use contract::Settings;
use rustix::process::{Pid, Signal, kill_process};

const FLAGS: &str = "LAUNCH_TEST_FLAGS";
/// By then what is waited for has come, unless something hangs.
const HUNG: Duration = Duration::from_secs(30);

/// Tells everyone who connects the number of its process. As a test of its own it does nothing.
#[test]
fn server() {
    let Ok(flags) = var(FLAGS) else { return };
    let settings = Settings::try_parse_from(flags.split(' ')).expect("the flags are right");
    let listener = launch::listen(&settings).unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(1)
    });
    listener.set_nonblocking(false).expect("a listener");
    for stream in listener.incoming() {
        let pid = std::process::id().to_string();
        stream.expect("a connection").write_all(pid.as_bytes()).expect("it takes some bytes");
    }
}

fn start(port: u16, processes: usize) -> Child {
    Command::new(current_exe().expect("this program"))
        .args(["--exact", "server", "--nocapture"])
        .env(FLAGS, format!("server --port {port} --processes {processes}"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a listener has an address").port()
}

fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < HUNG, "{what}");
        sleep(Duration::from_millis(10));
    }
}

/// The processes that answer at a port, once they are as many.
fn serving(port: u16, count: usize) -> BTreeSet<i32> {
    let mut pids = BTreeSet::new();
    until("not all serve", || {
        let mut answer = String::new();
        TcpStream::connect(("127.0.0.1", port)).ok()?.read_to_string(&mut answer).ok()?;
        pids.insert(answer.parse().ok()?);
        (pids.len() == count).then(|| pids.clone())
    })
}

fn send(signal: Signal, pid: i32) {
    kill_process(Pid::from_raw(pid).expect("a number of a process"), signal).expect("it is there");
}

fn wait_until_gone(pids: &BTreeSet<i32>) {
    until("a process is left", || {
        let is_running = |pid: &i32| {
            let stat = read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        (!pids.iter().any(is_running)).then_some(())
    });
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn several_processes_share_a_port_and_end_with_the_first() {
    let port = free_port();
    let mut first = start(port, 3);
    let pids = serving(port, 3);
    assert!(!pids.contains(&(first.id() as i32)), "the first only starts the others");
    send(Signal::TERM, first.id() as i32);
    first.wait().expect("it ends");
    wait_until_gone(&pids);
}

#[test]
fn when_one_ends_all_do_and_it_is_said() {
    let port = free_port();
    let first = start(port, 2);
    let pids = serving(port, 2);
    let victim = *pids.first().expect("two");
    send(Signal::KILL, victim);
    let output = first.wait_with_output().expect("it ends");
    assert!(!output.status.success());
    assert!(
        complaint(&output).contains(&format!("process {victim}, one of 2, has ended")),
        "{}",
        complaint(&output)
    );
    wait_until_gone(&pids);
}

#[test]
fn a_port_that_another_holds_or_that_has_no_number_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("a listener has an address").port();
    for (port, said) in [(port, "failed to listen"), (0, "PORT has to name one")] {
        let output = start(port, 2).wait_with_output().expect("it ends");
        assert!(!output.status.success());
        assert!(complaint(&output).contains(said), "{}", complaint(&output));
    }
}
