use std::convert::Infallible;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

use crate::RunError;
use crate::engine::{Clock, Schedule, WarmUp, process_cpu_us};
use crate::record::{Event, Phase, Warmup};
use crate::steady::{WINDOW_NS, is_steady};
use crate::tally::Tally;

/// How much later than it has to a member may say something.
const GRACE: Duration = Duration::from_secs(5);

/// What a member of a load has to do with the others. A member holds a share of the connections: an event
/// loop, or a whole process.
#[derive(Debug)]
pub(crate) struct Link {
    said: Sender<u64>,
    goes_on: Receiver<bool>,
    schedule: Receiver<Schedule>,
    /// Dropped when the member has ended.
    _alive: Sender<Infallible>,
}

impl Link {
    /// Says how many of the member's connections are open, and waits until all members have said so: is there something
    /// to drive, so that they are prepared now?
    pub(crate) fn opened(&self, established: u64) -> bool {
        self.said.send(established).is_ok() && self.goes_on.recv().unwrap_or(false)
    }

    /// Says that the member's connections are prepared, and waits until all members have said so: the schedule.
    pub(crate) fn prepared(&self) -> Option<Schedule> {
        self.said.send(0).ok()?;
        self.schedule.recv().ok()
    }
}

/// The other end of a [`Link`].
struct Seat {
    said: Receiver<u64>,
    goes_on: Sender<bool>,
    schedule: Sender<Schedule>,
}

/// Sum of what the members say within this time and a grace. One that has failed, or says nothing, is left behind: without its seat
/// it ends.
fn hear(seats: &mut Vec<Seat>, time: Duration) -> u64 {
    let deadline = Instant::now() + time + GRACE;
    let mut sum = 0;
    seats.retain(|seat| {
        let said = seat.said.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        sum += said.unwrap_or(0);
        said.is_ok()
    });
    sum
}

/// Who says when all members do something.
pub(crate) trait Lead {
    /// So many connections are open. They are prepared next, unless there is nothing to drive: `false`.
    fn prepare(&mut self, established: u64) -> bool;

    /// They are prepared: when the load begins and ends.
    fn begin(&mut self) -> Option<Schedule>;
}

/// What was read when the phases changed.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    /// `None` if the load did not last until its end.
    pub(crate) warmup: Option<Warmup>,
    pub(crate) measured_ns: u64,
    /// CPU time of this process.
    pub(crate) cpu_us: f64,
}

/// Starts a thread for each member, gives them all one schedule, and adds up what they counted.
///
/// `lead` is told how many connections are open, once it is known or `connect_ns` are over. To prepare them may take `prepare_ns`.
/// A `warm_up` ends before the schedule says when the load is steady.
pub(crate) fn conduct<M>(
    members: Vec<M>,
    clock: Clock,
    [connect_ns, prepare_ns]: [u64; 2],
    lead: &mut impl Lead,
    warm_up: Option<&WarmUp>,
    mut emit: impl FnMut(Event),
) -> Result<(Tally, Moments), RunError>
where
    M: FnOnce(&Link) -> Result<Tally, RunError> + Send,
{
    emit(Event::Phase(Phase::Connect));
    scope(|scope| {
        let (alive, all_ended) = mpsc::channel();
        let (mut threads, mut seats) = (Vec::new(), Vec::new());
        for (number, member) in members.into_iter().enumerate() {
            let (say, said) = mpsc::channel();
            let (goes_on, may_go_on) = mpsc::channel();
            let (schedule, start) = mpsc::channel();
            let link = Link { said: say, goes_on: may_go_on, schedule: start, _alive: alive.clone() };
            let thread = Builder::new().name(format!("loop-{number}"));
            threads.push(thread.spawn_scoped(scope, move || member(&link))?);
            seats.push(Seat { said, goes_on, schedule });
        }
        drop(alive);

        let established = hear(&mut seats, Duration::from_nanos(connect_ns));
        if established > 0 {
            emit(Event::Phase(Phase::Warmup));
        }
        let mut moments = Moments::default();
        if lead.prepare(established) {
            seats.retain(|seat| seat.goes_on.send(true).is_ok());
            hear(&mut seats, Duration::from_nanos(prepare_ns));
            if let Some(schedule) = lead.begin() {
                // One that has failed says why when it is joined.
                seats.retain(|seat| seat.schedule.send(schedule).is_ok());
                moments = phases(schedule, warm_up, clock, &all_ended, &mut emit);
            }
        }
        drop(seats);

        let mut total = Tally::default();
        for thread in threads {
            total.merge(thread.join().map_err(|_| RunError::LoopDied)??);
        }
        Ok((total, moments))
    })
}

/// Says each phase after the warm-up as it begins, until the drain, or until all members have ended, which drops their end of
/// `members`.
fn phases(
    mut schedule: Schedule,
    warm_up: Option<&WarmUp>,
    clock: Clock,
    members: &Receiver<Infallible>,
    emit: &mut impl FnMut(Event),
) -> Moments {
    let run_until = |at_ns: u64| {
        let rest = Duration::from_nanos(at_ns.saturating_sub(clock.now_ns()));
        // Members with nothing to wait for end as soon as the load does.
        matches!(members.recv_timeout(rest), Err(RecvTimeoutError::Timeout)) || clock.now_ns() >= at_ns
    };
    let mut steady = None;
    if let Some(warm_up) = warm_up {
        let is_steady = wait_until_steady(warm_up, schedule, run_until);
        schedule = warm_up.end(clock.now_ns(), schedule);
        steady = Some(is_steady);
    }
    if !run_until(schedule.measure_ns) {
        return Moments::default();
    }
    let warmed_up_ns = schedule.measure_ns - schedule.start_ns;
    let warmup = Some(Warmup { seconds: Duration::from_nanos(warmed_up_ns).as_secs_f64(), steady });
    emit(Event::Phase(Phase::Measure));
    let cpu_us = process_cpu_us();
    let to_the_end = run_until(schedule.end_ns);
    let cpu_us = process_cpu_us() - cpu_us;
    let ended_ns = if to_the_end { schedule.end_ns } else { clock.now_ns().min(schedule.end_ns) };
    emit(Event::Phase(Phase::Drain));
    Moments { warmup, measured_ns: ended_ns.saturating_sub(schedule.measure_ns), cpu_us }
}

/// Counts the replies window by window, until the load is steady, `true`, or has no more time to become so.
fn wait_until_steady(warm_up: &WarmUp, latest: Schedule, run_until: impl Fn(u64) -> bool) -> bool {
    let (mut windows, mut before) = (Vec::new(), 0);
    let mut ends_ns = latest.start_ns + WINDOW_NS;
    while ends_ns <= latest.measure_ns && run_until(ends_ns) {
        let replies = warm_up.replies();
        windows.push(replies - before);
        before = replies;
        let is_long_enough = ends_ns >= latest.start_ns + warm_up.least_ns;
        if is_long_enough && is_steady(&windows) {
            return true;
        }
        ends_ns += WINDOW_NS;
    }
    false
}
