//! What is counted does not depend on how the event loops reach their sockets.

mod server;

use std::num::NonZeroU64;
use std::process::Command;

use framing::Opcode;
use loadgen::{
    Engine, FeedTransport, Kind, Load, Measurement, RunError, Subscription, Timing, Transport, Workload, run,
};
use server::{
    Do, Script, broadcast, by, causes, chat, connect, countdown, counted_message, echo, feeds, frame, load,
    measure, serve, xhr,
};

/// Those that the system has.
fn engines() -> Vec<Engine> {
    let nobody = load(([127, 0, 0, 1], 1).into(), 1, echo(1, 1, 16));
    match run(&Load { engine: Engine::IoUring, ..nobody }, |_| {}) {
        Err(RunError::NoIoUring(error)) => {
            println!("in part skipped: no io_uring: {error}");
            vec![Engine::Epoll]
        }
        _ => vec![Engine::Epoll, Engine::IoUring],
    }
}

fn driven(engine: Engine, load: Load) -> Measurement {
    let (measurement, _) = measure(&Load { engine, ..load });
    assert_eq!(measurement.engine, engine.to_string());
    assert_eq!(measurement.errors, causes([]), "{engine}");
    let connections = &measurement.connections;
    assert_eq!((&connections.failed, connections.lost), (&causes([]), 0), "{engine}");
    measurement
}

#[test]
fn both_count_the_same_to_the_message() {
    // The last ones are longer than a buffer of the ring, and than a socket takes at once.
    for (threads, connections, pipeline, payload_bytes, kind) in [
        (1, 1, 1, 0, Kind::Text),
        (1, 64, 1, 64, Kind::Text),
        (2, 50, 16, 200, Kind::Binary),
        (1, 3, 4, 10_000, Kind::Text),
        (1, 2, 8, 1 << 20, Kind::Binary),
    ] {
        for engine in engines() {
            let mut workload = echo(connections, pipeline, payload_bytes);
            if let Workload::Echo { messages, stagger_bytes, kind: own, .. } = &mut workload {
                (*messages, *stagger_bytes, *own) = (NonZeroU64::new(20), 20_000, kind);
            }
            let mut load = load(serve(Script::default()), threads, workload);
            // Far beyond a test's patience: only the messages can end it.
            load.timing = Timing { warmup_s: 0.0, seconds: 3_600.0, ..load.timing };
            let measurement = driven(engine, load);
            let messages = 20 * connections as u64;
            assert_eq!((measurement.sent, measurement.messages), (messages, messages), "{engine}");
            assert_eq!(measurement.latency.count(), messages, "{engine}");
            if payload_bytes >= 1 << 16 {
                // What is longer than a socket takes at once may be sent again.
                continue;
            }
            // A frame's head of two or four bytes; one from the client has a mask of four besides.
            let head = if payload_bytes < 126 { 2 } else { 4 };
            let wire = measurement.wire.expect("an echo");
            let bytes = (payload_bytes + head) as u64;
            assert_eq!(wire.to_server.bytes, messages * (bytes + 4), "{engine}");
            assert_eq!(wire.to_client.bytes, messages * bytes, "{engine}");
        }
    }
}

#[test]
fn every_closed_loop_goes_by_both() {
    for engine in engines() {
        for workload in [
            xhr(8),
            countdown(4, 50, Transport::Xhr),
            countdown(4, 50, Transport::Websocket),
            connect(8, 2, Transport::Xhr),
            connect(8, 2, Transport::Websocket),
            feeds(3, FeedTransport::Xhr),
            feeds(3, FeedTransport::Sse),
            feeds(3, FeedTransport::Websocket),
            chat(5, Subscription::Mixed, None),
            by(Subscription::Mixed, broadcast(10, 2, None)),
        ] {
            let reply: fn(u64, Opcode, &[u8]) -> Do = match workload {
                Workload::Countdown { .. } => |_, _, message| Do::Send(counted_message(message)),
                _ => |_, opcode, message| Do::Send(frame(opcode, message)),
            };
            let target = serve(Script { reply: Box::new(reply), ..Script::default() });
            let measurement = driven(engine, load(target, 2, workload));
            assert!(measurement.messages > 0, "{engine}: {:?}", measurement.load.workload);
            if let Some(delivery) = measurement.delivery {
                assert_eq!((delivery.received, delivery.duplicates), (delivery.expected, 0), "{engine}");
            }
        }
    }
}

#[test]
fn an_engine_that_does_not_fit_is_refused() {
    for args in [&["echo", "--rate", "10"][..], &["capacity"], &["broadcast", "--rate", "10"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_loadgen"))
            .args(["--engine", "io-uring", "--target", "127.0.0.1:1"])
            .args(args)
            .output()
            .expect("the command");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("--engine io-uring: for closed loops"), "{error}");
    }
}
