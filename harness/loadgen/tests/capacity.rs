//! Connections added in steps: what stops it, and that each step is counted.

mod server;

use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread::sleep;
use std::time::Duration;

use loadgen::{Capacity, Event, Measurement, Stop};
use server::{Do, Script, frame, serve, switching};

fn climb(target: SocketAddr, args: &str) -> (Measurement, Capacity) {
    let output = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["--target", &target.to_string(), "--patience-s", "2", "capacity"])
        .args(args.split(' '))
        .stdout(Stdio::piped())
        .output()
        .expect("the command starts");
    let last = str::from_utf8(&output.stdout).expect("JSON is text").lines().last();
    let Some(Ok(Event::Measurement(measurement))) = last.map(serde_json::from_str) else {
        panic!("no measurement: {}", String::from_utf8_lossy(&output.stderr))
    };
    let capacity = measurement.capacity.clone().expect("a capacity");
    (*measurement, capacity)
}

/// A server that accepts so many upgrades, and then does this.
fn accepts(count: u64, then: impl Fn(&str) -> Do + Send + Sync + 'static) -> Script {
    let accepted = AtomicU64::new(0);
    let answer = move |accept: &str| match accepted.fetch_add(1, SeqCst) {
        number if number < count => Do::Send(switching(accept)),
        _ => then(accept),
    };
    Script { answer: Box::new(answer), ..Script::default() }
}

#[test]
fn it_reaches_what_it_is_asked_for_in_steps_of_several_processes() {
    let own = std::process::id();
    for (processes, holders) in [(1, [1, 1, 1]), (3, [2, 3, 3])] {
        let args = format!("--step 10 --max 25 --processes {processes} --outstanding 4 --server-pids {own}");
        let (measurement, capacity) = climb(serve(Script::default()), &args);
        assert_eq!((capacity.stopped, capacity.held), (Stop::Reached, 25));
        assert_eq!(capacity.steps.iter().map(|step| step.connections).collect::<Vec<_>>(), [10, 20, 25]);
        assert_eq!(capacity.steps.iter().map(|step| step.connect.count()).collect::<Vec<_>>(), [10, 10, 5]);
        assert_eq!(capacity.steps.iter().map(|step| step.sweep.count()).collect::<Vec<_>>(), [10, 20, 25]);
        assert_eq!(capacity.steps.iter().map(|step| step.processes).collect::<Vec<_>>(), holders);
        assert!(capacity.steps.iter().all(|step| step.errors.is_empty() && step.failed.is_empty()));
        assert!(capacity.steps.iter().all(|step| step.memory.own_bytes > 0.0));
        assert!(capacity.steps.iter().all(|step| step.memory.server_bytes.is_some()));
        assert_eq!((measurement.messages, measurement.sent), (55, 55));
        assert_eq!((measurement.latency.count(), measurement.connect.count()), (55, 25));
    }
}

#[test]
fn a_server_that_refuses_after_some_has_refused() {
    let busy = |_: &str| Do::Send("HTTP/1.1 503 S\r\nContent-Length: 0\r\n\r\n".into());
    let (measurement, capacity) = climb(serve(accepts(25, busy)), "--step 10 --max 100");
    assert_eq!((capacity.stopped, capacity.held), (Stop::Refused, 20));
    assert_eq!(capacity.steps[2].failed["HTTP 503"], 5);
    assert_eq!(measurement.connections.established, 25);
}

#[test]
fn a_server_that_no_longer_answers_opens_too_slowly() {
    let (_, capacity) = climb(serve(accepts(15, |_| Do::Last(Vec::new()))), "--step 10 --max 100");
    assert_eq!((capacity.stopped, capacity.held), (Stop::ConnectTooSlow, 10));
    assert_eq!(capacity.steps[1].failed["timed out"], 5);
}

#[test]
fn a_server_whose_process_ends_has_died() {
    let mut process = Command::new("sleep").arg("600").spawn().expect("a process");
    let pid = process.id();
    let pid_ended = std::sync::Mutex::new(Some(pid));
    let script = accepts(15, move |_| {
        // It takes the process with it, and answers nothing.
        if let Some(pid) = pid_ended.lock().expect("no panic").take() {
            Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs");
        }
        Do::Send("HTTP/1.1 500 S\r\n\r\n".into())
    });
    let (_, capacity) = climb(serve(script), &format!("--step 10 --max 100 --server-pids {pid}"));
    assert_eq!((capacity.stopped, capacity.held), (Stop::Died, 10));
    process.wait().expect("it has ended");
}

#[test]
fn where_nobody_listens_the_server_has_died() {
    let nobody = ([127, 0, 0, 1], 1).into();
    let (_, capacity) = climb(nobody, "--step 10");
    assert_eq!((capacity.stopped, capacity.held), (Stop::Died, 0));
    assert_eq!(capacity.steps[0].failed["refused"], 10);
}

#[test]
fn a_server_that_loses_a_connection_in_a_sweep_has_refused() {
    let script = Script {
        reply: Box::new(|number, opcode, payload| match number {
            25 => Do::Reset(Vec::new()),
            _ => Do::Send(frame(opcode, payload)),
        }),
        ..Script::default()
    };
    let (measurement, capacity) = climb(serve(script), "--step 10 --max 100");
    assert_eq!((capacity.stopped, capacity.held), (Stop::Refused, 10));
    assert_eq!((capacity.steps[1].connections, measurement.connections.lost), (19, 1));
    assert_eq!(capacity.steps[1].errors["reset"], 1);
}

#[test]
fn replies_that_take_too_long_or_never_come_are_too_slow() {
    let slow = |number: u64, wait: Duration| {
        if number > 10 {
            sleep(wait);
        }
    };
    let script = Script {
        reply: Box::new(move |number, opcode, payload| {
            slow(number, Duration::from_millis(100));
            Do::Send(frame(opcode, payload))
        }),
        ..Script::default()
    };
    let (_, capacity) = climb(serve(script), "--step 10 --max 100 --limit-ms 50");
    let first = capacity.steps[0].sweep.quantile_ns(0.99).expect("a sweep");
    // On a busy machine the first sweep may be as slow.
    assert_eq!(
        (capacity.stopped, capacity.held),
        (Stop::SweepTooSlow, if first > 50_000_000 { 0 } else { 10 })
    );

    let script = Script {
        reply: Box::new(|number, opcode, payload| match number {
            ..=15 => Do::Send(frame(opcode, payload)),
            _ => Do::Send(Vec::new()),
        }),
        ..Script::default()
    };
    let (_, capacity) = climb(serve(script), "--step 10 --max 100");
    assert_eq!((capacity.stopped, capacity.held), (Stop::SweepTooSlow, 10));
    assert_eq!(capacity.steps[1].errors["no reply"], 15);
}

#[test]
fn a_wrong_reply_stops_it() {
    let script = Script {
        reply: Box::new(|number, opcode, payload| {
            let mut payload = payload.to_vec();
            payload[40] ^= u8::from(number == 15);
            Do::Send(frame(opcode, &payload))
        }),
        ..Script::default()
    };
    let (_, capacity) = climb(serve(script), "--step 10 --max 100");
    assert_eq!((capacity.stopped, capacity.held), (Stop::WrongReply, 10));
}

#[test]
fn a_generator_without_files_or_ports_says_so() {
    let target = serve(Script::default());
    assert!(TcpStream::connect(target).is_ok());
    // Of 30 files a process has room for 12 connections, and each process takes two of its parent's 30.
    let script = format!(
        "ulimit -n 30; exec {} --target {target} capacity --step 100 --max 100000",
        env!("CARGO_BIN_EXE_loadgen")
    );
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    let last = str::from_utf8(&output.stdout).expect("JSON is text").lines().last();
    let Some(Ok(Event::Measurement(measurement))) = last.map(serde_json::from_str) else {
        panic!("no measurement: {}", String::from_utf8_lossy(&output.stderr))
    };
    assert_eq!(measurement.capacity.expect("a capacity").stopped, Stop::OwnFileLimit);
}
