//! Connections spread over child processes: the sum is that of one process, and a child that dies is counted.

mod server;

use std::fs::read_to_string;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread::sleep;
use std::time::{Duration, Instant};

use loadgen::{Event, Measurement, Phase};
use rustix::process::{Pid, Signal, kill_process};
use server::{Do, Script, causes, delivery, frame, serve};

/// By then what is waited for has come, unless something hangs.
const HUNG: Duration = Duration::from_secs(30);

fn loadgen(target: SocketAddr, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(["--target", &target.to_string(), "--warmup-s", "0.05", "--seconds", "0.3"]);
    command.args(args.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn measurement(output: &Output) -> Measurement {
    let last = str::from_utf8(&output.stdout).expect("JSON is text").lines().last();
    match last.map(serde_json::from_str) {
        Some(Ok(Event::Measurement(measurement))) => *measurement,
        _ => panic!("no measurement: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn measure(target: SocketAddr, args: &str) -> Measurement {
    measurement(&loadgen(target, args).output().expect("the command starts"))
}

/// Child processes of a process.
fn children(pid: u32) -> Vec<Pid> {
    let text = read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of_threads = threads.map(|thread| read_to_string(thread.path().join("children")).unwrap_or_default());
    let mut pids: Vec<i32> = std::iter::once(text)
        .chain(of_threads)
        .flat_map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids.into_iter().filter_map(Pid::from_raw).collect()
}

#[test]
fn the_counts_of_several_processes_are_their_exact_sum() {
    // Of an open loop it is known how many messages it sends: 300 in 0.3 s.
    let open = (3, 8, "echo --rate 1000");
    for (processes, connections, load) in [(2, 7, "echo"), (3, 7, "echo --pipeline 4"), (2, 5, open.2), open]
    {
        let counted = Arc::new(AtomicU64::new(0));
        let counts = Arc::clone(&counted);
        let script = Script {
            reply: Box::new(move |_, opcode, payload| {
                counts.fetch_add(1, SeqCst);
                Do::Send(frame(opcode, payload))
            }),
            ..Script::default()
        };
        // All that is sent is measured, so that the server's count is the generator's.
        let args =
            format!("{load} --connections {connections} --processes {processes} --threads 2 --warmup-s 0");
        let measurement = measure(serve(script), &args);
        assert_eq!(measurement.errors, causes([]));
        assert_eq!(measurement.connections.failed, causes([]));
        assert_eq!(
            (measurement.connections.asked, measurement.connections.established),
            (connections, connections)
        );
        assert_eq!(measurement.connect.count(), connections);
        if load == open.2 {
            let counts = [measurement.sent, counted.load(SeqCst), measurement.latency.count()];
            assert_eq!(counts, [300; 3]);
        } else {
            // The last message of each connection may be sent at the very end.
            let beyond = counted.load(SeqCst) - measurement.sent;
            assert!(beyond <= 4 * connections, "{beyond} messages sent and not counted");
            assert_eq!(measurement.latency.count(), measurement.messages);
        }
        assert_eq!(
            measurement.series.iter().map(|second| second.messages).sum::<u64>(),
            measurement.messages
        );
        assert!(measurement.messages > 0 && measurement.cpu_us > 0.0);
        assert_eq!(measurement.load.connecting.processes.map(usize::from), Some(processes));
    }
}

#[test]
fn the_counts_are_the_same_however_many_threads_and_processes_send_and_however_they_wait() {
    let target = serve(Script::default());
    for load in ["--rate 997", "--rate 997 --arrivals poisson --seed 7"] {
        let counts = |by: &str| {
            let measurement = measure(target, &format!("echo --connections 6 --warmup-s 0 {load} {by}"));
            assert_eq!(measurement.errors, causes([]));
            let [lateness, service] = [&measurement.lateness, &measurement.service]
                .map(|times| times.as_ref().expect("an open loop").count());
            [
                measurement.connections.established,
                measurement.sent,
                measurement.latency.count(),
                lateness,
                service,
            ]
        };
        let by_one = counts("--threads 1");
        assert!(by_one[1] > 200, "{by_one:?}");
        for by in [
            "--threads 2",
            "--threads 5",
            "--processes 2",
            "--processes 3 --threads 2",
            "--spin",
            "--spin-us 60",
        ] {
            assert_eq!(counts(by), by_one, "{load} {by}");
        }
    }
}

/// With no more than a hundred open files a process.
fn measure_with_few_files(target: SocketAddr, args: &str) -> Measurement {
    let args = loadgen(target, args);
    let args = args.get_args().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let script = format!("ulimit -n 100; exec {} {args}", env!("CARGO_BIN_EXE_loadgen"));
    measurement(&Command::new("sh").args(["-c", &script]).output().expect("a shell"))
}

#[test]
fn as_many_processes_are_started_as_the_limit_of_open_files_asks_for() {
    let measurement = measure_with_few_files(serve(Script::default()), "echo --connections 200");
    assert_eq!((measurement.connections.established, measurement.errors), (200, causes([])));
}

#[test]
fn a_broadcast_beyond_the_limit_of_open_files_reaches_all_and_misses_what_is_missing() {
    for (args, publications) in [("", None), ("--rate 100 --publishers 3", Some(30))] {
        let args = format!("broadcast --subscribers 300 --warmup-s 0 {args}");
        let measurement = measure_with_few_files(serve(Script::default()), &args);
        let delivery = measurement.delivery.expect("a broadcast");
        assert_eq!((measurement.connections.established, measurement.errors), (300, causes([])));
        assert_eq!(delivery.publications, publications.unwrap_or(delivery.publications));
        assert!(delivery.publications > 1, "a publisher waits for loops that do not wake its own");
        assert_eq!(delivery.expected, delivery.publications * 300);
        assert_eq!((delivery.received, measurement.latency.count()), (delivery.expected, delivery.expected));
        assert_eq!((delivery.duplicates, delivery.out_of_order), (0, 0));
    }
    let forgetful = Script {
        deliver: Box::new(|id, subscriber, data| {
            Do::Send(match (id, subscriber) {
                (20, 290) => Vec::new(),
                (21, 7) => delivery(id, data).repeat(2),
                _ => delivery(id, data),
            })
        }),
        ..Script::default()
    };
    let args = "broadcast --subscribers 300 --warmup-s 0 --rate 100 --patience-s 2";
    let measurement = measure_with_few_files(serve(forgetful), args);
    let wrong = [("a delivery that came again", 1), ("a delivery that never came", 1)];
    assert_eq!(measurement.errors, causes(wrong));
    assert_eq!(measurement.delivery.map(|delivery| delivery.received), Some(30 * 300 - 1));
}

#[test]
fn a_limit_that_has_no_room_for_the_processes_it_asks_for_is_told_with_its_remedy() {
    let args = loadgen(([127, 0, 0, 1], 1).into(), "echo --connections 30000");
    let args = args.get_args().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let script = format!("ulimit -n 100; exec {} {args}", env!("CARGO_BIN_EXE_loadgen"));
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("processes would be needed") && said.contains("ulimit -n"), "{said}");
}

#[test]
fn where_nobody_listens_the_causes_of_all_processes_add_up() {
    let nobody = ([127, 0, 0, 1], 1).into();
    let measurement = measure(nobody, "echo --connections 9 --processes 2");
    assert_eq!(measurement.connections.failed, causes([("refused", 9)]));
    assert_eq!(measurement.connections.established, 0);
}

/// Starts a long load of six connections in two processes, and waits until it is measured.
fn begin() -> Child {
    let target = serve(Script::default());
    let mut child = loadgen(target, "echo --connections 6 --processes 2 --seconds 3 --patience-s 1")
        .spawn()
        .expect("it starts");
    let stdout = child.stdout.as_mut().expect("a pipe");
    // A byte at a time, so that nothing of the later lines is lost with a buffer.
    let lines = BufReader::with_capacity(1, stdout).lines().map_while(Result::ok);
    let events = lines.map(|line| serde_json::from_str(&line).expect("a line is an event"));
    let mut phases = events.filter(|event| matches!(event, Event::Phase(Phase::Measure)));
    let measured = phases.next().is_some();
    if !measured {
        panic!("it ended before it measured: {:?}", child.wait());
    }
    child
}

#[test]
fn the_connections_of_a_killed_process_are_lost_and_the_others_go_on() {
    let child = begin();
    let processes = children(child.id());
    assert_eq!(processes.len(), 2);
    kill_process(processes[0], Signal::KILL).expect("it is there");
    let measurement = measurement(&child.wait_with_output().expect("it ends"));
    let cause = "a process of the generator died: signal: 9 (SIGKILL)";
    assert_eq!(measurement.errors, causes([(cause, 3)]));
    assert_eq!((measurement.connections.asked, measurement.connections.established), (6, 6));
    assert_eq!(measurement.connections.lost, 3);
    assert!(measurement.messages > 0, "the other process goes on");
}

#[test]
fn the_connections_of_a_process_that_is_stopped_are_lost_and_nothing_waits_for_it() {
    let child = begin();
    kill_process(children(child.id())[0], Signal::STOP).expect("it is there");
    let measurement = measurement(&child.wait_with_output().expect("it ends"));
    assert_eq!(measurement.errors, causes([("a process of the generator died: it said nothing in time", 3)]));
    assert!(measurement.messages > 0, "the other process goes on");
}

#[test]
fn child_processes_end_with_their_parent() {
    let mut child = begin();
    let processes = children(child.id());
    assert_eq!(processes.len(), 2);
    child.kill().expect("it is there");
    child.wait().expect("it ends");
    let began = Instant::now();
    while processes.iter().any(|&process| is_running(process)) {
        assert!(began.elapsed() < HUNG, "a child outlives its parent");
        sleep(Duration::from_millis(10));
    }
}

/// Is there such a process, and is it more than an entry that nobody has waited for?
fn is_running(process: Pid) -> bool {
    let stat = read_to_string(format!("/proc/{}/stat", process.as_raw_pid())).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}

#[test]
fn a_ramp_takes_the_time_that_its_rate_gives() {
    let began = Instant::now();
    let measurement = measure(serve(Script::default()), "echo --connections 40 --ramp 100 --processes 2");
    assert_eq!(measurement.connections.established, 40);
    assert_eq!(measurement.errors, causes([]));
    // The last of each process begins after 38 of 100 parts of a second: no machine is too fast for that.
    assert!(began.elapsed() >= Duration::from_millis(380));
}

#[test]
fn what_cannot_be_spread_is_refused() {
    let nobody = ([127, 0, 0, 1], 1).into();
    for (args, complaint) in [
        ("broadcast --processes 2", "a broadcast is of one process"),
        ("echo --processes 2000", "--processes 2000: expected 1 to 1024"),
    ] {
        let output = loadgen(nobody, args).output().expect("the command starts");
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(complaint), "{error}");
    }
}

#[test]
fn no_process_begins_before_the_connections_of_all_are_through_with_their_past() {
    let (own, late) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (own_seen, late_seen) = (Arc::clone(&own), Arc::clone(&late));
    let reply = move |_, opcode, payload: &[u8]| {
        match (payload.len(), own_seen.load(SeqCst)) {
            (64, _) => own_seen.fetch_add(1, SeqCst),
            (_, 0) => 0,
            _ => late_seen.fetch_add(1, SeqCst),
        };
        Do::Send(frame(opcode, payload))
    };
    let script = Script { reply: Box::new(reply), ..Script::default() };
    let args = "echo --connections 8 --processes 2 --stagger-bytes 60000 --warmup-s 0";
    let measurement = measure(serve(script), args);
    assert_eq!(measurement.errors, causes([]));
    assert!(own.load(SeqCst) >= measurement.messages && measurement.messages > 0);
    assert_eq!(late.load(SeqCst), 0);
}
