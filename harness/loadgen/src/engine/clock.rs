use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds since the run began, by the monotonic clock. Every loop has a copy of the same, so their
/// times compare.
#[derive(Debug, Clone, Copy)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    /// Does this moment lie in the measured time?
    pub(crate) fn counts(&self, at_ns: u64) -> bool {
        (self.measure_ns..self.end_ns).contains(&at_ns)
    }
}
