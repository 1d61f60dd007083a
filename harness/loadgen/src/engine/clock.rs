use rustix::time::{ClockId, Timespec, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::timetable::Timetable;

/// Nanoseconds since the run began, by the monotonic clock, which is one for the whole machine. Every loop,
/// in whichever process, has a copy of the same, so their times compare.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Clock {
    origin_ns: u64,
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn start() -> Self {
        Self { origin_ns: read_ns(ClockId::Monotonic) }
    }

    /// The time now: tens of nanoseconds, without a system call.
    pub(crate) fn now_ns(self) -> u64 {
        read_ns(ClockId::Monotonic) - self.origin_ns
    }
}

/// CPU time of this process, user and system, in µs.
pub(crate) fn process_cpu_us() -> f64 {
    read_ns(ClockId::ProcessCPUTime) as f64 / 1e3
}

/// A duration in seconds as nanoseconds; nothing for a negative one.
pub(crate) fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

fn read_ns(clock: ClockId) -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    // Neither clock is ever negative.
    tv_sec as u64 * 1_000_000_000 + tv_nsec as u64
}

/// The moments of a run, by its [`Clock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Schedule {
    /// Load begins.
    pub(crate) start_ns: u64,
    /// Counting begins.
    pub(crate) measure_ns: u64,
    /// Counting and load end.
    pub(crate) end_ns: u64,
    /// What has not come back is given up.
    pub(crate) give_up_ns: u64,
}

impl Schedule {
    /// The schedule while connections are opened: nothing begins.
    pub(crate) const UNKNOWN: Self =
        Self { start_ns: u64::MAX, measure_ns: u64::MAX, end_ns: u64::MAX, give_up_ns: u64::MAX };

    /// The same with counting begun at another moment, and all that follows it as much earlier or later.
    pub(crate) fn measured_from(self, measure_ns: u64) -> Self {
        let moved = |at_ns: u64| at_ns - self.measure_ns + measure_ns;
        let (end_ns, give_up_ns) = (moved(self.end_ns), moved(self.give_up_ns));
        Self { measure_ns, end_ns, give_up_ns, ..self }
    }

    /// Does this moment lie in the measured time?
    pub(crate) fn counts(&self, at_ns: u64) -> bool {
        (self.measure_ns..self.end_ns).contains(&at_ns)
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self != Self::UNKNOWN
    }

    /// When the next message of an open loop is meant to be sent; `None` after the end.
    pub(crate) fn intended_ns(&self, timetable: &Timetable) -> Option<u64> {
        let intended_ns = self.start_ns.saturating_add(timetable.next_ns());
        (intended_ns < self.end_ns).then_some(intended_ns)
    }

    /// How much of the load's time is over.
    pub(crate) fn since_start_ns(&self, now_ns: u64) -> u64 {
        now_ns.min(self.end_ns).saturating_sub(self.start_ns)
    }
}
