use std::collections::BTreeMap;
use std::time::Instant;

use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use procfs::process::{Process, all_processes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a process, or a group of them, has used up to now, from the kernel's accounting.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    read_at: Instant,
    cpu_us: f64,
    user_ticks: u64,
    system_ticks: u64,
    pub(super) resident_bytes: u64,
    /// By thread: `/proc/PID/status` has those of the main thread alone.
    switches: BTreeMap<i32, Switches>,
}

/// How often threads gave up a core, or had it taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Switches {
    /// Because they had nothing to do: they waited.
    pub voluntary: u64,
    /// Because another was to run.
    pub involuntary: u64,
}

/// What a process used between two readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Spent {
    /// Time between the readings, in seconds.
    pub seconds: f64,
    /// CPU time of all its threads, in µs: the process clock (`clock_getcpuclockid(3)`), to the nanosecond.
    pub cpu_us: f64,
    /// The part of it in user space, in µs, divided as the kernel divides it in `/proc/PID/stat`, by what each
    /// timer tick met. The rest was in the kernel.
    pub user_us: f64,
    /// Context switches of all its threads (`/proc/PID/task/*/status`). None if a thread has ended between the readings,
    /// since its count ends with it, and in results that are older than this figure.
    #[serde(default)]
    pub switches: Option<Switches>,
    /// Resident memory at the second reading, in bytes (`VmRSS`); 0 if it had ended by then.
    pub resident_bytes: u64,
}

impl Usage {
    /// Reads it for a whole process group, whose leader is `leader`; `None` if that is gone.
    #[must_use]
    pub fn of_group(leader: i32) -> Option<Self> {
        let [usage] = Self::of_groups([leader]);
        usage
    }

    /// The same for several: first the leaders, in their order and close together, then the others of their groups.
    #[must_use]
    pub fn of_groups<const N: usize>(leaders: [i32; N]) -> [Option<Self>; N] {
        let mut sums = leaders.map(Self::of);
        for process in all_processes().into_iter().flatten().flatten() {
            let Ok(stat) = process.stat() else { continue };
            let group = leaders.iter().position(|&leader| stat.pgrp == leader && process.pid != leader);
            if let Some(sum) = group.and_then(|group| sums[group].as_mut())
                && let Some(usage) = Self::of(process.pid)
            {
                sum.cpu_us += usage.cpu_us;
                sum.user_ticks += usage.user_ticks;
                sum.system_ticks += usage.system_ticks;
                sum.resident_bytes += usage.resident_bytes;
                sum.switches.extend(usage.switches);
            }
        }
        sums
    }

    fn of(pid: i32) -> Option<Self> {
        let process = Process::new(pid).ok()?;
        // Together, and before what takes longer to read.
        let clock = clock_getcpuclockid(Pid::from_raw(pid)).ok()?.now().ok()?;
        let stat = process.stat().ok()?;
        let read_at = Instant::now();
        // Not the resident memory of `stat`: that may lack what each core has not added up yet.
        let status = process.status().ok()?;
        Some(Self {
            read_at,
            cpu_us: clock.tv_sec() as f64 * 1e6 + clock.tv_nsec() as f64 / 1e3,
            user_ticks: stat.utime,
            system_ticks: stat.stime,
            resident_bytes: status.vmrss.unwrap_or(0) * 1024,
            switches: switches(&process),
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
            switches: switches_between(&earlier.switches, &self.switches),
            resident_bytes: self.resident_bytes,
        }
    }
}

/// Those of all threads that have not ended.
fn switches(process: &Process) -> BTreeMap<i32, Switches> {
    let tasks = process.tasks().into_iter().flatten().flatten();
    let of_task = |task: procfs::process::Task| {
        let status = task.status().ok()?;
        let (voluntary, involuntary) = (status.voluntary_ctxt_switches?, status.nonvoluntary_ctxt_switches?);
        Some((task.tid, Switches { voluntary, involuntary }))
    };
    tasks.filter_map(of_task).collect()
}

/// `None` if a thread has ended meanwhile.
fn switches_between(earlier: &BTreeMap<i32, Switches>, later: &BTreeMap<i32, Switches>) -> Option<Switches> {
    let sum =
        |switches: &BTreeMap<i32, Switches>, of: fn(&Switches) -> u64| switches.values().map(of).sum::<u64>();
    let grown = |of| sum(later, of).checked_sub(sum(earlier, of));
    if earlier.keys().any(|thread| !later.contains_key(thread)) {
        return None;
    }
    Some(Switches { voluntary: grown(|s| s.voluntary)?, involuntary: grown(|s| s.involuntary)? })
}

impl Spent {
    /// CPU time ÷ time: 1 is one core.
    #[must_use]
    pub fn cores_busy(&self) -> f64 {
        self.cpu_us / 1e6 / self.seconds
    }

    /// The part of the CPU time in the kernel, in µs.
    #[must_use]
    pub fn system_us(&self) -> f64 {
        self.cpu_us - self.user_us
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread::{scope, sleep};
    use std::time::Duration;

    use super::*;

    fn own() -> Usage {
        Usage::of(std::process::id().cast_signed()).expect("this process")
    }

    #[test]
    fn work_of_this_process_is_accounted_to_it() {
        let before = own();
        let mut sum = 0_u64;
        while own().cpu_us < before.cpu_us + 20_000.0 {
            sum = std::hint::black_box(sum + 1);
        }
        let spent = own().since(&before);
        assert!(spent.cpu_us >= 20_000.0 && spent.user_us <= spent.cpu_us, "{spent:?}");
        assert!(spent.resident_bytes > 0);
    }

    #[test]
    fn waiting_of_any_thread_is_a_voluntary_switch() {
        scope(|scope| {
            let (ask, asked) = channel();
            let (tell, told) = channel();
            scope.spawn(move || {
                for () in asked {
                    (0..20).for_each(|_| sleep(Duration::from_micros(100)));
                    tell.send(()).expect("somebody waits");
                }
            });
            // Threads of other tests come to their end, and then none is counted.
            let switches = loop {
                let before = own();
                ask.send(()).expect("the thread lives");
                told.recv().expect("the thread has slept");
                if let Some(switches) = own().since(&before).switches {
                    break switches;
                }
            };
            assert!(switches.voluntary >= 20, "{switches:?}");
        });
    }

    #[test]
    fn of_a_thread_that_has_ended_nobody_knows_the_switches() {
        let switches = |voluntary, involuntary| Switches { voluntary, involuntary };
        let earlier = BTreeMap::from([(1, switches(10, 1)), (2, switches(1_000, 100))]);
        let mut later = BTreeMap::from([(1, switches(15, 2)), (3, switches(4, 3))]);
        assert_eq!(switches_between(&earlier, &later), None);
        later.insert(2, switches(1_000, 101));
        assert_eq!(switches_between(&earlier, &later), Some(switches(9, 5)));
    }

    #[test]
    fn a_process_that_is_gone_has_no_usage() {
        assert_eq!(Usage::of(i32::MAX), None);
    }
}
