use std::io;
use std::sync::{Arc, mpsc};
use std::thread::{Builder, scope};
use std::time::Duration;

use thiserror::Error;

use crate::broadcast::{Broadcast, Pace, Shared};
use crate::echo::{self, Echo};
use crate::engine::{
    Clock, Context, EventLoop, Schedule, Waker, Workload as Driven, allow_open_files, nanoseconds,
    process_cpu_us,
};
use crate::load::{Load, Timing, Workload};
use crate::record::{Event, Measurement, Phase};
use crate::tally::Tally;

/// Why there is no measurement.
#[derive(Debug, Error)]
pub enum RunError {
    /// The load asks for something out of range.
    #[error("{0}")]
    BadLoad(String),
    /// The connections do not fit under the limit of open files.
    #[error(
        "{connections} connections need {needed} open files, but the limit is {allowed}: raise it with \
         `ulimit -n {needed}`, or for good with the line `* hard nofile {needed}` in /etc/security/limits.conf"
    )]
    OpenFiles {
        /// Connections of the load.
        connections: u64,
        /// Open files that they need.
        needed: u64,
        /// The hard limit.
        allowed: u64,
    },
    /// The system fails at something that no load makes it fail at.
    #[error("the event loops cannot run: {0}")]
    System(#[from] io::Error),
    /// A loop ended without a word.
    #[error("an event loop has died")]
    LoopDied,
}

/// Drives the server with the load. Calls `emit` with each [`Event::Phase`] the moment it begins, and
/// returns when the load has ended, which it does in bounded time whatever the server does.
///
/// A server that does not answer is no error but a measurement: its causes are in `connections.failed`.
///
/// # Errors
/// [`RunError`]: nothing was measured.
pub fn run(load: &Load, emit: impl FnMut(Event)) -> Result<Measurement, RunError> {
    load.check().map_err(RunError::BadLoad)?;
    let connections = load.workload.connections();
    let loops = load.threads.get().min(connections);
    allow_open_files(connections as u64, loops as u64)?;
    let wakers = (0..loops).map(|_| Waker::new()).collect::<io::Result<Vec<_>>>()?;
    match load.workload {
        Workload::Echo { connections, pipeline, payload_bytes, kind } => {
            conduct(load, &wakers, emit, |number| {
                let numbers = (number..connections.get()).step_by(loops);
                let peers = numbers.map(|number| echo::Peer::new(number as u64, pipeline.get())).collect();
                (Echo::new(payload_bytes, kind, pipeline.get()), peers)
            })
        }
        Workload::Broadcast { subscribers, publishers, payload_bytes, ref arrivals } => {
            let pace = match arrivals.rate {
                None => Pace::Closed { patience_ns: nanoseconds(load.timing.patience_s) },
                Some(rate) => Pace::Open { rate: rate.get(), publishers: publishers.get() as u32 },
            };
            let shared = Arc::new(Shared::new(publishers.get(), wakers.clone()));
            conduct(load, &wakers, emit, |number| {
                let subscribers = (number..subscribers.get()).step_by(loops).len();
                let publishers = (number as u32..publishers.get() as u32).step_by(loops);
                let shared = Arc::clone(&shared);
                Broadcast::new(number, subscribers, publishers, payload_bytes, pace, load.target, shared)
            })
        }
    }
}

/// Starts a loop for each waker, gives them all one schedule, and adds up what they counted. `make` gives
/// the share of the loop with a number.
fn conduct<W: Driven>(
    load: &Load,
    wakers: &[Waker],
    mut emit: impl FnMut(Event),
    make: impl Fn(usize) -> (W, Vec<W::Connection>) + Sync,
) -> Result<Measurement, RunError> {
    let clock = Clock::start();
    let patience_ns = nanoseconds(load.timing.patience_s);
    emit(Event::Phase(Phase::Connect));
    scope(|scope| {
        let (opened, all_opened) = mpsc::channel();
        let (mut loops, mut starts) = (Vec::new(), Vec::new());
        for (number, waker) in wakers.iter().enumerate() {
            let (start, started) = mpsc::channel();
            let (opened, make) = (opened.clone(), &make);
            let body = move || -> io::Result<Tally> {
                let (workload, states) = make(number);
                let mut event_loop =
                    EventLoop::new(workload, states, Context::new(load.target, clock), waker.clone())?;
                let established = event_loop.connect(patience_ns)?;
                // Nobody listens or nobody answers if another loop has failed: then this one ends too.
                if opened.send(established).is_ok()
                    && let Ok(schedule) = started.recv()
                {
                    event_loop.drive(schedule)?;
                }
                Ok(event_loop.finish())
            };
            loops.push(Builder::new().name(format!("loop-{number}")).spawn_scoped(scope, body)?);
            starts.push(start);
        }
        drop(opened);

        // A loop opens its connections within its patience; one that says nothing after it has failed.
        let deadline = Duration::from_nanos(patience_ns) + Duration::from_secs(5);
        let established: u64 = wakers.iter().map_while(|_| all_opened.recv_timeout(deadline).ok()).sum();
        let mut timing = Moments::default();
        if established > 0 {
            let schedule = schedule(&load.timing, clock.now_ns());
            for start in &starts {
                // One that has failed says why when it is joined.
                let _ = start.send(schedule);
            }
            timing = phases(schedule, clock, &all_opened, &mut emit);
        }
        drop(starts);

        let mut total = Tally::default();
        for event_loop in loops {
            total.merge(event_loop.join().map_err(|_| RunError::LoopDied)??);
        }
        Ok(measurement(load, total, &timing))
    })
}

fn schedule(timing: &Timing, start_ns: u64) -> Schedule {
    let measure_ns = start_ns + nanoseconds(timing.warmup_s);
    let end_ns = measure_ns + nanoseconds(timing.seconds);
    Schedule { start_ns, measure_ns, end_ns, give_up_ns: end_ns + nanoseconds(timing.patience_s) }
}

/// What was read when the phases changed.
#[derive(Debug, Default)]
struct Moments {
    measured_ns: u64,
    cpu_us: f64,
}

/// Says each phase as it begins, until the drain, or until all loops have ended, which drops their end of
/// `loops`.
fn phases(
    schedule: Schedule,
    clock: Clock,
    loops: &mpsc::Receiver<u64>,
    emit: &mut impl FnMut(Event),
) -> Moments {
    let run_until = |at_ns: u64| {
        let rest = Duration::from_nanos(at_ns.saturating_sub(clock.now_ns()));
        // Loops with nothing to wait for end as soon as the load does.
        matches!(loops.recv_timeout(rest), Err(mpsc::RecvTimeoutError::Timeout)) || clock.now_ns() >= at_ns
    };
    emit(Event::Phase(Phase::Warmup));
    if !run_until(schedule.measure_ns) {
        return Moments::default();
    }
    emit(Event::Phase(Phase::Measure));
    let cpu_us = process_cpu_us();
    let to_the_end = run_until(schedule.end_ns);
    let cpu_us = process_cpu_us() - cpu_us;
    let ended_ns = if to_the_end { schedule.end_ns } else { clock.now_ns().min(schedule.end_ns) };
    emit(Event::Phase(Phase::Drain));
    Moments { measured_ns: ended_ns.saturating_sub(schedule.measure_ns), cpu_us }
}

fn measurement(load: &Load, mut tally: Tally, timing: &Moments) -> Measurement {
    tally.error("a delivery that never came", tally.fan_out.missing());
    let delivery = matches!(load.workload, Workload::Broadcast { .. }).then(|| {
        let expected = tally.delivery.publications * tally.connections.established;
        crate::Delivery { expected, ..tally.delivery }
    });
    Measurement {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        engine: "epoll".to_owned(),
        load: load.clone(),
        seconds: Duration::from_nanos(timing.measured_ns).as_secs_f64(),
        connections: tally.connections,
        sent: tally.sent,
        messages: tally.messages,
        errors: tally.errors,
        latency: tally.latency,
        connect: tally.connect,
        delivery,
        cpu_us: timing.cpu_us,
    }
}
