use std::time::Instant;

use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use procfs::process::{Process, all_processes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a process, or a group of them, has used up to now, from the kernel's accounting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    read_at: Instant,
    cpu_us: f64,
    user_ticks: u64,
    system_ticks: u64,
    resident_bytes: u64,
}

/// What a process used between two readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Spent {
    /// Time between the readings, in seconds.
    pub seconds: f64,
    /// CPU time of all its threads, in µs: the process clock (`clock_getcpuclockid(3)`), to the nanosecond.
    pub cpu_us: f64,
    /// The part of it in user space, in µs, divided as the ticks of `/proc/PID/stat` are (10 ms each).
    pub user_us: f64,
    /// Resident memory at the second reading, in bytes (`VmRSS`).
    pub resident_bytes: u64,
}

impl Usage {
    /// Reads it for a whole process group, whose leader is `leader`; `None` if that is gone.
    #[must_use]
    pub fn of_group(leader: i32) -> Option<Self> {
        let mut sum = Self::of(leader)?;
        for process in all_processes().ok()?.flatten() {
            let member = || process.stat().is_ok_and(|stat| stat.pgrp == leader);
            if process.pid != leader
                && member()
                && let Some(usage) = Self::of(process.pid)
            {
                sum.cpu_us += usage.cpu_us;
                sum.user_ticks += usage.user_ticks;
                sum.system_ticks += usage.system_ticks;
                sum.resident_bytes += usage.resident_bytes;
            }
        }
        Some(sum)
    }

    fn of(pid: i32) -> Option<Self> {
        let clock = clock_getcpuclockid(Pid::from_raw(pid)).ok()?.now().ok()?;
        let stat = Process::new(pid).ok()?.stat().ok()?;
        Some(Self {
            read_at: Instant::now(),
            cpu_us: clock.tv_sec() as f64 * 1e6 + clock.tv_nsec() as f64 / 1e3,
            user_ticks: stat.utime,
            system_ticks: stat.stime,
            resident_bytes: stat.rss * rustix::param::page_size() as u64,
        })
    }

    /// What was used since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Spent {
        let cpu_us = self.cpu_us - earlier.cpu_us;
        let user = self.user_ticks.saturating_sub(earlier.user_ticks) as f64;
        let system = self.system_ticks.saturating_sub(earlier.system_ticks) as f64;
        let user_share = if user + system > 0.0 { user / (user + system) } else { 0.0 };
        Spent {
            seconds: self.read_at.duration_since(earlier.read_at).as_secs_f64(),
            cpu_us,
            user_us: cpu_us * user_share,
            resident_bytes: self.resident_bytes,
        }
    }
}

impl Spent {
    /// CPU time ÷ time: 1 is one core.
    #[must_use]
    pub fn cores_busy(&self) -> f64 {
        self.cpu_us / 1e6 / self.seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_this_process_is_accounted_to_it() {
        let own = std::process::id().cast_signed();
        let before = Usage::of(own).expect("this process");
        let mut sum = 0_u64;
        while Usage::of(own).expect("this process").cpu_us < before.cpu_us + 20_000.0 {
            sum = std::hint::black_box(sum + 1);
        }
        let spent = Usage::of(own).expect("this process").since(&before);
        assert!(spent.cpu_us >= 20_000.0 && spent.user_us <= spent.cpu_us, "{spent:?}");
        assert!(spent.resident_bytes > 0);
    }

    #[test]
    fn a_process_that_is_gone_has_no_usage() {
        assert_eq!(Usage::of(i32::MAX), None);
    }
}
