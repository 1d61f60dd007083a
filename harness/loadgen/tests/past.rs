//! What connections have echoed before the load, so that they are not in step (`stagger_bytes`).

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use loadgen::{Process, Timing, Workload};
use server::{Do, Script, causes, echo, frame, load, measure, open_echo, serve};

/// By then what is waited for has come, unless something hangs.
const HUNG: Duration = Duration::from_secs(30);
const CONNECTIONS: usize = 8;
const PAYLOAD_BYTES: usize = 64;

fn with_a_past(mut workload: Workload) -> Workload {
    let Workload::Echo { stagger_bytes, .. } = &mut workload else { panic!("an echo") };
    *stagger_bytes = 60_000;
    workload
}

/// Messages that a server has received, of the load and of pasts after the first of the load.
#[derive(Default)]
struct Received {
    own: AtomicU64,
    late: AtomicU64,
}

fn counting(received: &Arc<Received>) -> Script {
    let received = Arc::clone(received);
    let reply = move |_, opcode, payload: &[u8]| {
        if payload.len() == PAYLOAD_BYTES {
            received.own.fetch_add(1, SeqCst);
        } else if received.own.load(SeqCst) > 0 {
            received.late.fetch_add(1, SeqCst);
        }
        Do::Send(frame(opcode, payload))
    };
    Script { reply: Box::new(reply), ..Script::default() }
}

#[test]
fn the_load_begins_when_every_connection_of_every_loop_is_through_with_its_past() {
    let open = open_echo(CONNECTIONS, 1_000, Process::Constant);
    for workload in [echo(CONNECTIONS, 1, PAYLOAD_BYTES), open] {
        let received = Arc::new(Received::default());
        let mut load = load(serve(counting(&received)), 2, with_a_past(workload));
        // What a loop sent before the others were through would count.
        load.timing = Timing { warmup_s: 0.0, ..load.timing };
        let (measurement, _) = measure(&load);
        assert_eq!(measurement.errors, causes([]));
        assert!(received.own.load(SeqCst) > 0);
        assert_eq!(received.late.load(SeqCst), 0);
    }
}

#[test]
fn a_past_that_is_not_answered_is_an_error_and_does_not_hang() {
    let silent = Script { reply: Box::new(|_, _, _| Do::Last(Vec::new())), ..Script::default() };
    let mut load = load(serve(silent), 2, with_a_past(echo(CONNECTIONS, 1, PAYLOAD_BYTES)));
    load.timing = Timing { patience_s: 0.2, seconds: 0.2, ..load.timing };
    let begun = Instant::now();
    let (measurement, _) = measure(&load);
    let stuck = measurement.errors.get("a connection whose past took too long").copied().unwrap_or(0);
    // Now and then one draws no past.
    assert!((1..=CONNECTIONS as u64).contains(&stuck), "{:?}", measurement.errors);
    assert!(begun.elapsed() < HUNG);
}

#[test]
fn a_server_that_dies_in_the_past_is_told_by_what_was_lost() {
    let dying = Script { reply: Box::new(|_, _, _| Do::Reset(Vec::new())), ..Script::default() };
    let load = load(serve(dying), 2, with_a_past(echo(CONNECTIONS, 1, PAYLOAD_BYTES)));
    let begun = Instant::now();
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.connections.lost, CONNECTIONS as u64);
    assert_eq!(measurement.messages, 0);
    assert!(begun.elapsed() < HUNG);
}
