//! The command: its lines, its exit codes, and that it never panics.

mod server;

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};

use loadgen::{Event, Measurement};
use server::{Script, serve};

fn loadgen(target: SocketAddr, args: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(["--target", &target.to_string(), "--warmup-s", "0.05", "--seconds", "0.2"]);
    command.args(args.split(' '));
    command
}

fn output(target: SocketAddr, args: &str) -> Output {
    let output = loadgen(target, args).output().expect("the command starts");
    assert!(!error(&output).contains("panicked"), "{}", error(&output));
    output
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The events of its lines.
fn events(output: &Output) -> Vec<Event> {
    let lines = str::from_utf8(&output.stdout).expect("JSON is text").lines();
    lines.map(|line| serde_json::from_str(line).expect("a line is an event")).collect()
}

fn measurement(output: &Output) -> Measurement {
    match events(output).pop() {
        Some(Event::Measurement(measurement)) => *measurement,
        other => panic!("the last line is the measurement: {other:?}"),
    }
}

#[test]
fn it_prints_the_phases_and_a_measurement_that_reads_back() {
    let output = output(serve(Script::default()), "echo --connections 4");
    assert_eq!((output.status.code(), error(&output)), (Some(0), String::new()));
    assert_eq!(events(&output).len(), 5);
    let measurement = measurement(&output);
    assert_eq!(measurement.errors.len(), 0);
    assert_eq!(measurement.latency.count(), measurement.messages);
    assert!(measurement.messages > 0);
}

#[test]
fn an_unreachable_server_is_measured_and_ends_with_one() {
    let nobody = ([127, 0, 0, 1], 1).into();
    let output = output(nobody, "broadcast --subscribers 3");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(error(&output), "loadgen: not one connection to 127.0.0.1:1 was established: refused (3)\n");
    assert_eq!(measurement(&output).connections.failed["refused"], 3);
}

#[test]
fn what_cannot_be_asked_for_ends_with_two() {
    let nobody = ([127, 0, 0, 1], 1).into();
    for (args, complaint) in [
        ("echo --seconds NaN", "--seconds NaN: expected 0.001 to 86400"),
        ("echo --seconds 0", "--seconds 0: expected 0.001 to 86400"),
        ("echo --warmup-s=-1", "--warmup-s -1: expected 0 to 86400"),
        ("echo --patience-s inf", "--patience-s inf: expected 0.001 to 86400"),
        ("echo --pipeline 100000", "--pipeline 100000: expected 1 to 65536"),
        (
            "echo --rate 10 --pipeline 2",
            "--pipeline 2: not with --rate, which leaves open how many are outstanding",
        ),
        ("echo --rate 10000001", "--rate 10000001: expected 1 to 10000000"),
        ("broadcast --rate 10000001", "--rate 10000001: expected 1 to 10000000"),
        ("echo --rate 10 --spin-us 2000000", "--spin-us 2000000: expected 0 to 1000000"),
        ("echo --rate 10 --spin --spin-us 60", "the argument '--spin' cannot be used with '--spin-us <US>'"),
        ("echo --rate 10 --arrivals often", "invalid value 'often' for '--arrivals <PROCESS>'"),
        ("xhr --rate 10", "unexpected argument '--rate'"),
        ("echo --payload-bytes 100000000", "--payload-bytes 100000000: expected 0 to 67108864"),
        ("echo --threads 2000", "--threads 2000: expected 1 to 1024"),
        ("broadcast --payload-bytes 31", "--payload-bytes 31: expected 32 to 67108864"),
        ("broadcast --publishers 70000", "--publishers 70000: expected 1 to 65536"),
        ("echo --connections 0", "number would be zero"),
        ("knock", "unrecognized subcommand 'knock'"),
    ] {
        let output = output(nobody, args);
        assert_eq!(output.status.code(), Some(2), "{args}");
        assert!(error(&output).contains(complaint), "{}", error(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn too_few_open_files_are_told_with_their_remedy() {
    let nobody = ([127, 0, 0, 1], 1).into();
    let loadgen = loadgen(nobody, "broadcast --subscribers 999");
    let args = loadgen.get_args().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let script = format!("ulimit -n 100; exec {} {args}", env!("CARGO_BIN_EXE_loadgen"));
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        error(&output),
        "loadgen: 1000 connections in one process need 1019 open files there, but the limit is 100: raise it with `ulimit -n 1019`, \
         or for good with the line `* hard nofile 1019` in /etc/security/limits.conf\n"
    );
}

#[test]
fn a_reader_that_is_gone_is_no_panic() {
    let address = serve(Script::default());
    let mut child = loadgen(address, "echo --seconds 60")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(error(&output).starts_with("loadgen: cannot write to standard output: "), "{}", error(&output));
}
