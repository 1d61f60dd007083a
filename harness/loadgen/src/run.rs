use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use thiserror::Error;

use crate::broadcast::{self, Broadcast, Pace, Shared};
use crate::capacity::climb;
use crate::conduct::{Lead, Link, Moments, conduct};
use crate::connect::Connect;
use crate::countdown::Countdown;
use crate::dialogue::Topic;
use crate::echo::Echo;
use crate::engine::{
    Approach, Clock, Context, EventLoop, Schedule, Sources, Waker, WarmUp, Workload as Driven, allow_ports,
    nanoseconds, own_open_files,
};
use crate::feed::{Feed, Fixture};
use crate::load::{FeedPlan, Load, Timing, Transport, Workload};
use crate::record::{Event, Measurement};
use crate::spread::{self, Loops, Part};
use crate::tally::Tally;
use crate::xhr::Xhr;

/// Why there is no measurement.
#[derive(Debug, Error)]
pub enum RunError {
    /// The load asks for something out of range.
    #[error("{0}")]
    BadLoad(String),
    /// The connections do not fit under the limit of open files.
    #[error(
        "{connections} connections in one process need {needed} open files there, but the limit is {allowed}: raise it with \
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
    /// The limit of open files is too low for the process that leads the others.
    #[error(
        "so few open files allowed that {processes} processes would be needed, whose pipes are {needed} files, of {allowed} \
         that are left: raise the limit with `ulimit -n`, or for good with the line `* hard nofile 20000` in \
         /etc/security/limits.conf"
    )]
    Processes {
        /// Processes that hold the connections.
        processes: usize,
        /// Open files that the one that leads them needs.
        needed: u64,
        /// Those that it may have.
        allowed: u64,
    },
    /// The connections do not fit into the local ports.
    #[error(
        "{connections} connections to {target} need as many local ports, but there are {ports}: widen \
         net.ipv4.ip_local_port_range, or ask a server on 127.0.0.1, which is reached from more addresses"
    )]
    Ports {
        /// Connections of the load.
        connections: u64,
        /// Local ports.
        ports: u64,
        /// Address of the server.
        target: SocketAddr,
    },
    /// The load is to be driven by io_uring.
    #[error(
        "--engine io-uring: this system gives none ({0}): it takes Linux 6.1, a kernel.io_uring_disabled of 0, and a container \
         that allows it; --engine epoll does without"
    )]
    NoIoUring(io::Error),
    /// A child process does not understand its parent, or has none any more.
    #[error("the parent process: {0}")]
    Parent(String),
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
/// A load of many connections is spread over child processes, which are this program with [`CHILD`](crate::CHILD)
/// as its argument: a program that calls this hands over to [`serve_parent`](crate::serve_parent) then.
///
/// # Errors
/// [`RunError`]: nothing was measured.
pub fn run(load: &Load, emit: impl FnMut(Event)) -> Result<Measurement, RunError> {
    load.check().map_err(RunError::BadLoad)?;
    load.check_engine()?;
    let clock = Clock::start();
    if let Workload::Capacity(plan) = &load.workload {
        let (tally, moments, capacity) = climb(load, plan, clock, emit)?;
        let measurement = measurement(load, tally, &moments);
        return Ok(Measurement {
            capacity: Some(capacity),
            series: Vec::new(),
            windows: Vec::new(),
            ..measurement
        });
    }
    allow_ports(load.workload.connections() as u64, load.target)?;
    let parts = spread::parts(load)?;
    let warm_up = warm_up(load, parts.len());
    let lead = &mut Leader { load, clock, may_end: warm_up.is_some() };
    let (tally, moments) = match parts.as_slice() {
        [whole] => drive(load, whole, clock, lead, warm_up, emit)?,
        parts => spread::drive(load, parts, clock, lead, emit)?,
    };
    Ok(measurement(load, tally, &moments))
}

/// Leads all of a load.
struct Leader<'a> {
    load: &'a Load,
    clock: Clock,
    /// May the warm-up end before its latest moment?
    may_end: bool,
}

impl Lead for Leader<'_> {
    fn prepare(&mut self, established: u64) -> bool {
        if established > 0 {
            settle(&self.load.timing);
        }
        established > 0
    }

    fn begin(&mut self) -> Option<Schedule> {
        Some(schedule(&self.load.timing, self.may_end, self.clock.now_ns()))
    }
}

/// Drives a part of the load, with event loops of this process.
pub(crate) fn drive(
    load: &Load,
    part: &Part,
    clock: Clock,
    lead: &mut impl Lead,
    warm_up: Option<Arc<WarmUp>>,
    emit: impl FnMut(Event),
) -> Result<(Tally, Moments), RunError> {
    let Loops { count: loops, own_files } = Loops::of(load, part)?;
    let wakers = (0..loops).map(|_| Waker::new()).collect::<io::Result<Vec<_>>>()?;
    let members = Members { load, part, clock, wakers: &wakers, own_files, warm_up };
    match load.workload {
        Workload::Echo {
            connections,
            pipeline,
            messages,
            payload_bytes,
            kind,
            stagger_bytes,
            ref arrivals,
        } => members.conduct(lead, emit, |number| {
            let numbers = part.numbers().skip(number).step_by(loops);
            let closed = (pipeline.get(), messages);
            Echo::new(payload_bytes, kind, stagger_bytes, closed, arrivals, numbers, connections.get())
        }),
        // A climb has parts of its own.
        Workload::Capacity(_) => Err(RunError::BadLoad("capacity has no parts".to_owned())),
        Workload::Xhr { .. } => members
            .conduct(lead, emit, |number| Xhr::new(load.target, part.numbers().skip(number).step_by(loops))),
        Workload::Countdown { from, transport, .. } => members.conduct(lead, emit, |number| {
            let topic = match transport {
                Transport::Websocket => Topic::Countdown,
                Transport::Xhr => Topic::xhr(load.target),
            };
            Countdown::new(topic, from.get(), part.numbers().skip(number).step_by(loops).len())
        }),
        Workload::Connect { messages, transport, storm, .. } => members.conduct(lead, emit, |number| {
            let topic = match transport {
                Transport::Websocket => Topic::Echo,
                Transport::Xhr => Topic::xhr(load.target),
            };
            let questions = (!storm).then_some(messages.get());
            Connect::new(topic, questions, part.numbers().skip(number).step_by(loops))
        }),
        Workload::Feed(FeedPlan { transport, .. }) => {
            // Where there is none to be had, connections fail by their causes, or each feed differs from it.
            let patience = Duration::from_nanos(nanoseconds(load.timing.patience_s));
            let fixture = Arc::new(Fixture::fetch(load.target, patience).unwrap_or_default());
            members.conduct(lead, emit, |number| {
                let clients = part.numbers().skip(number).step_by(loops).len();
                Feed::new(load.target, transport, clients, Arc::clone(&fixture))
            })
        }
        Workload::Broadcast { .. } | Workload::Chat(_) => {
            let Some(fan_out) = load.workload.fan_out() else {
                return Err(RunError::BadLoad("nobody subscribes".to_owned()));
            };
            let pace = match fan_out.arrivals.rate {
                None => Pace::Closed { patience_ns: nanoseconds(load.timing.patience_s) },
                Some(_) => Pace::Open { arrivals: fan_out.arrivals, publishers: fan_out.publishers as u32 },
            };
            let plan = broadcast::Plan { target: load.target, fan_out, pace };
            let shared = Arc::new(Shared::new(fan_out.publishers, wakers.clone()));
            members.conduct(lead, emit, |number| Broadcast::new(number, loops, &plan, Arc::clone(&shared)))
        }
    }
}

/// The event loops of one process, one a waker.
struct Members<'a> {
    load: &'a Load,
    part: &'a Part,
    clock: Clock,
    wakers: &'a [Waker],
    /// Has each a table of open files of its own?
    own_files: bool,
    warm_up: Option<Arc<WarmUp>>,
}

impl Members<'_> {
    /// Has them driven; `make` gives the share of the loop with a number.
    fn conduct<W: Driven>(
        &self,
        lead: &mut impl Lead,
        emit: impl FnMut(Event),
        make: impl Fn(usize) -> (W, Vec<W::Connection>) + Sync,
    ) -> Result<(Tally, Moments), RunError> {
        let &Self { load, part, clock, wakers, own_files, ref warm_up } = self;
        let patience_ns = nanoseconds(load.timing.patience_s);
        let prepare_ns = nanoseconds(load.prepare_s());
        let sources = Sources::new(load.target, part.first as u64);
        let all_loops = (wakers.len() * part.processes) as u64;
        let approach = Approach {
            interval_ns: Approach::interval_ns(load.connecting.ramp, all_loops),
            most: if is_storm(load) { usize::MAX } else { Approach::MOST },
        };
        let sources = &sources;
        let make = &make;
        let member = |(number, waker): (usize, &Waker)| {
            let waker = waker.clone();
            move |link: &Link| {
                if own_files {
                    own_open_files()?;
                }
                let (workload, states) = make(number);
                let slots = 0..states.len();
                let warm_up = warm_up.clone();
                let context =
                    Context { spin_ns: load.spin_ns(), warm_up, ..Context::new(load.target, clock) };
                let mut event_loop =
                    EventLoop::new(load.engine, workload, states, context, sources.clone(), waker)?;
                let established = event_loop.connect(slots, approach, patience_ns)?;
                // There is nothing to drive if all have failed: then this one ends too.
                if !link.opened(established) {
                    return Ok(event_loop.finish());
                }
                event_loop.prepare(prepare_ns, patience_ns)?;
                if let Some(schedule) = link.prepared() {
                    event_loop.drive(schedule)?;
                    // Not if all connections were lost before: then there is nothing to see.
                    if clock.now_ns() >= schedule.end_ns {
                        settle(&load.timing);
                    }
                }
                Ok(event_loop.finish())
            }
        };
        let members = wakers.iter().enumerate().map(member).collect();
        conduct(members, clock, [load.connect_ns(), prepare_ns], lead, warm_up.as_deref(), emit)
    }
}

fn is_storm(load: &Load) -> bool {
    matches!(load.workload, Workload::Connect { storm: true, .. })
}

fn settle(timing: &Timing) {
    sleep(Duration::from_nanos(nanoseconds(timing.settle_s)));
}

/// The warm-up that ends when the load is steady; `None` if it lasts for a fixed time. An open loop's does: its rate is
/// given, and so are the times of what it sends. So does that of several processes, which would have to agree.
fn warm_up(load: &Load, processes: usize) -> Option<Arc<WarmUp>> {
    let Timing { warmup_s, warmup_max_s, .. } = load.timing;
    let may_end = warmup_max_s > warmup_s && processes == 1 && load.workload.arrivals().is_none();
    may_end.then(|| Arc::new(WarmUp::new(nanoseconds(warmup_s))))
}

/// The schedule of a load that starts now, with the latest end of a warm-up that `may_end` before.
fn schedule(timing: &Timing, may_end: bool, start_ns: u64) -> Schedule {
    let warmup_s = if may_end { timing.warmup_max_s } else { timing.warmup_s };
    let measure_ns = start_ns + nanoseconds(warmup_s);
    let end_ns = measure_ns + nanoseconds(timing.seconds);
    Schedule { start_ns, measure_ns, end_ns, give_up_ns: end_ns + nanoseconds(timing.patience_s) }
}

fn measurement(load: &Load, mut tally: Tally, moments: &Moments) -> Measurement {
    tally.error("a delivery that never came", tally.fan_out.missing());
    let delivery = load.workload.is_fan_out().then(|| {
        let expected = tally.delivery.publications * tally.connections.established;
        crate::Delivery { expected, ..tally.delivery }
    });
    let (series, windows) = tally.series.over(moments.measured_ns);
    let is_open = load.workload.arrivals().is_some();
    let is_echo = matches!(load.workload, Workload::Echo { .. });
    let is_countdown = matches!(load.workload, Workload::Countdown { .. });
    Measurement {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        engine: load.engine.to_string(),
        load: load.clone(),
        seconds: Duration::from_nanos(moments.measured_ns).as_secs_f64(),
        warmup: moments.warmup,
        connections: tally.connections,
        sent: tally.sent,
        messages: tally.messages,
        errors: tally.errors,
        latency: tally.latency,
        connect: tally.connect,
        all_open_ns: tally
            .opening
            .filter(|_| is_storm(load))
            .map(|opening| opening.last_open_ns - opening.first_begun_ns),
        wire: tally.wire.measured(),
        delivery,
        capacity: None,
        service: (is_open && is_echo).then_some(tally.service),
        lateness: is_open.then_some(tally.lateness),
        first_item: matches!(load.workload, Workload::Feed(_)).then_some(tally.first_item),
        total: is_countdown.then_some(tally.total),
        series,
        windows,
        cpu_us: moments.cpu_us + tally.cpu_us,
    }
}
