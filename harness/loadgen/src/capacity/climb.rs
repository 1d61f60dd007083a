use std::num::NonZeroUsize;
use std::time::Instant;

use rustix::io::Errno;

use super::memory::{Memory, private_bytes, resident_bytes};
use super::post::{Order, Post, Report};
use super::record::{Capacity, Step, StepMemory, Stop};
use super::stop::{Server, fault, fault_of_sweep};
use crate::conduct::Moments;
use crate::engine::{Approach, Clock, connections_allowed, nanoseconds};
use crate::spread::{Assignment, Child};
use crate::tally::Tally;
use crate::{CapacityPlan, Event, Load, Phase, RunError};

/// Adds connections until something stops it.
///
/// # Errors
/// [`RunError`]: the system gives no processes.
pub(crate) fn climb(
    load: &Load,
    plan: &CapacityPlan,
    clock: Clock,
    mut emit: impl FnMut(Event),
) -> Result<(Tally, Moments, Capacity), RunError> {
    let mut climb = Climb::new(load, plan, clock);
    let (mut steps, mut held, mut moments) = (Vec::new(), 0, Moments::default());
    let stopped = loop {
        if climb.asked == plan.max.get() {
            break Stop::Reached;
        }
        let before = Memory::read();
        emit(Event::Phase(Phase::Connect));
        let (mut step, mut stop) = climb.open()?;
        if stop.is_none() {
            emit(Event::Phase(Phase::Measure));
            stop = climb.sweep(&mut step);
            moments.measured_ns += nanoseconds(step.sweep_s);
        }
        let now = Memory::read();
        step.memory = climb.memory(&now, step.connections);
        if stop.is_none() {
            held = step.connections;
            let goes_on = climb.asked < plan.max.get();
            stop = (goes_on && now.is_short_after(&before)).then_some(Stop::Memory);
        }
        emit(Event::Step(Box::new(step.clone())));
        steps.push(step);
        if let Some(stop) = stop {
            break stop;
        }
    };
    emit(Event::Phase(Phase::Drain));
    Ok((climb.total, moments, Capacity { stopped, held, steps }))
}

struct Climb<'a> {
    load: &'a Load,
    plan: &'a CapacityPlan,
    clock: Clock,
    server: Server<'a>,
    /// Connections that one process may hold.
    room: usize,
    holders: Vec<Holder>,
    /// Connections that were asked for.
    asked: usize,
    /// What was counted in all steps.
    total: Tally,
    memory_before: Memory,
    server_bytes_before: Option<u64>,
}

/// A process that holds connections.
struct Holder {
    child: Child,
    connections: usize,
    resident_bytes: u64,
    private_bytes: u64,
}

impl<'a> Climb<'a> {
    fn new(load: &'a Load, plan: &'a CapacityPlan, clock: Clock) -> Self {
        let processes = load.connecting.processes.map_or(1, NonZeroUsize::get);
        let allowed = usize::try_from(connections_allowed(1)).unwrap_or(usize::MAX);
        let server = Server { target: load.target, pids: &plan.server_pids };
        Self {
            load,
            plan,
            clock,
            room: plan.max.get().div_ceil(processes).min(allowed).max(1),
            holders: Vec::new(),
            asked: 0,
            total: Tally::default(),
            memory_before: Memory::read(),
            server_bytes_before: server.resident_bytes(),
            server,
        }
    }

    /// Opens the connections of the next step.
    fn open(&mut self) -> Result<(Step, Option<Stop>), RunError> {
        let began = Instant::now();
        let shares = match self.shares() {
            Ok(shares) => shares,
            Err(error) if is_for_want_of_files(&error) => {
                return Ok((self.step(Tally::default(), 0.0), Some(Stop::OwnFileLimit)));
            }
            Err(error) => return Err(error.into()),
        };
        let patience_ns = nanoseconds(self.load.timing.patience_s);
        let interval_ns = Approach::interval_ns(self.load.connecting.ramp, shares.len() as u64);
        let orders = shares
            .into_iter()
            .map(|(holder, connections)| (holder, Order::Open { connections, interval_ns, patience_ns }));
        let (tally, died) = command(&mut self.holders, orders.collect());
        let stop = if died { Some(Stop::GeneratorDied) } else { fault(&tally, &self.server) };
        Ok((self.step(tally, began.elapsed().as_secs_f64()), stop))
    }

    /// Which holder is to open how many connections more: those that are there are filled first.
    fn shares(&mut self) -> std::io::Result<Vec<(usize, usize)>> {
        let mut left = self.plan.step.get().min(self.plan.max.get() - self.asked);
        let mut shares = Vec::new();
        while left > 0 {
            if self.holders.last().is_none_or(|holder| holder.connections == self.room) {
                let post = Post {
                    target: self.load.target,
                    clock: self.clock,
                    first: self.asked as u64,
                    room: self.room,
                };
                let child = Child::spawn(&Assignment::Capacity(post))?;
                self.holders.push(Holder { child, connections: 0, resident_bytes: 0, private_bytes: 0 });
            }
            let number = self.holders.len() - 1;
            let holder = &mut self.holders[number];
            let share = left.min(self.room - holder.connections);
            holder.connections += share;
            self.asked += share;
            left -= share;
            shares.push((number, share));
        }
        Ok(shares)
    }

    /// The step that has opened these connections.
    fn step(&mut self, tally: Tally, connect_s: f64) -> Step {
        let opened = tally.connections.established;
        let step = Step {
            connections: 0,
            connect_s,
            connects_per_s: if connect_s > 0.0 { opened as f64 / connect_s } else { 0.0 },
            connect: tally.connect.clone(),
            sweep_s: 0.0,
            sweep: crate::Distribution::default(),
            failed: tally.connections.failed.clone(),
            errors: tally.errors.clone(),
            processes: self.holders.len() as u64,
            memory: StepMemory::default(),
        };
        self.total.merge(tally);
        Step { connections: self.open_connections(), ..step }
    }

    fn open_connections(&self) -> u64 {
        self.total.connections.established.saturating_sub(self.total.connections.lost)
    }

    /// Has one message echoed on every connection.
    fn sweep(&mut self, step: &mut Step) -> Option<Stop> {
        let began = Instant::now();
        let outstanding = (self.plan.outstanding.get() / self.holders.len().max(1)).max(1) as u64;
        let patience_ns = nanoseconds(self.load.timing.patience_s);
        let orders =
            (0..self.holders.len()).map(|holder| (holder, Order::Sweep { outstanding, patience_ns }));
        let (tally, died) = command(&mut self.holders, orders.collect());
        step.sweep_s = began.elapsed().as_secs_f64();
        step.sweep = tally.latency.clone();
        step.errors.extend(tally.errors.clone());
        let limit_ns = (self.plan.limit_ms * 1e6) as u64;
        let stop = if died {
            Some(Stop::GeneratorDied)
        } else {
            fault(&tally, &self.server).or_else(|| fault_of_sweep(&tally, limit_ns))
        };
        self.total.merge(tally);
        step.connections = self.open_connections();
        stop
    }

    fn memory(&self, now: &Memory, connections: u64) -> StepMemory {
        let share = |bytes: f64| if connections > 0 { bytes / connections as f64 } else { 0.0 };
        let growth = |after: u64, before: u64| share(after as f64 - before as f64);
        let parent = std::process::id();
        let own = resident_bytes(parent).unwrap_or(0)
            + self.holders.iter().map(|holder| holder.resident_bytes).sum::<u64>();
        let private = private_bytes(parent).unwrap_or(0)
            + self.holders.iter().map(|holder| holder.private_bytes).sum::<u64>();
        let server = self.server.resident_bytes().zip(self.server_bytes_before);
        StepMemory {
            own_bytes: share(own as f64),
            own_private_bytes: share(private as f64),
            server_bytes: server.map(|(after, before)| growth(after, before)),
            kernel_buffer_bytes: growth(now.tcp_buffers, self.memory_before.tcp_buffers),
            kernel_slab_bytes: growth(now.slab, self.memory_before.slab),
            available_bytes: now.available,
        }
    }
}

/// Has these holders do what they are told, all at the same time: what they counted, and has one died?
fn command(holders: &mut [Holder], orders: Vec<(usize, Order)>) -> (Tally, bool) {
    let (mut total, mut died) = (Tally::default(), false);
    let mut told = Vec::new();
    for (number, order) in orders {
        // One that has died does not report either.
        let _ = holders[number].child.order(&order);
        told.push(number);
    }
    for number in told {
        let holder = &mut holders[number];
        match holder.child.report::<Report>(None) {
            Ok(report) => {
                holder.resident_bytes = report.resident_bytes;
                holder.private_bytes = report.private_bytes;
                total.merge(report.tally);
            }
            Err(how) => {
                died = true;
                total.error(how.cause(), holder.connections as u64);
            }
        }
    }
    (total, died)
}

fn is_for_want_of_files(error: &std::io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}
