use procfs::{CurrentSI as _, KernelStats};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CoreSet;

/// What the pinned cores have done up to now (`/proc/stat`, in ticks of 10 ms).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoreTime {
    cores: usize,
    busy_s: f64,
    soft_interrupts_s: f64,
    steal_s: f64,
}

/// What they did between two readings, in seconds of all these cores together.
#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct CoreUse {
    /// How many they are; 0 in results that are older than this figure.
    #[serde(default)]
    pub cores: usize,
    /// Not idle, whoever it was for.
    pub busy_s: f64,
    /// Of that, in soft interrupts. Unless the kernel times interrupts (`CONFIG_IRQ_TIME_ACCOUNTING`), they are also
    /// in the CPU time of the process that they interrupted, or that ran them at the end of a system call.
    pub soft_interrupts_s: f64,
    /// Taken away by the hypervisor.
    pub steal_s: f64,
}

/// Shares of the time of all pinned cores: 1 is all of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoreShares {
    /// In soft interrupts, whoever accounts for them.
    pub soft_interrupts: f64,
    /// Busy, and in the CPU time of neither server nor tool.
    pub unaccounted: f64,
    /// Taken away by the hypervisor.
    pub steal: f64,
}

impl CoreShares {
    /// What these cores did over `time_s`, the time of all of them together, in which server and tool had `processes_us` of CPU time.
    #[must_use]
    pub fn of(cores: &[CoreUse], time_s: f64, processes_us: f64) -> Self {
        let sum = |of: fn(&CoreUse) -> f64| cores.iter().map(of).sum::<f64>();
        Self {
            soft_interrupts: sum(|cores| cores.soft_interrupts_s) / time_s,
            unaccounted: (sum(|cores| cores.busy_s) - processes_us / 1e6) / time_s,
            steal: sum(|cores| cores.steal_s) / time_s,
        }
    }
}

impl CoreTime {
    /// Reads it; `None` if the kernel does not say.
    #[must_use]
    pub fn of(cores: &CoreSet) -> Option<Self> {
        let stats = KernelStats::current().ok()?;
        let ticks = procfs::ticks_per_second() as f64;
        let mut sum = Self { cores: cores.len(), busy_s: 0.0, soft_interrupts_s: 0.0, steal_s: 0.0 };
        for core in cores.iter() {
            let time = stats.cpu_time.get(core)?;
            let soft = time.softirq.unwrap_or(0);
            let interrupts = soft + time.irq.unwrap_or(0);
            sum.busy_s += (time.user + time.nice + time.system + interrupts) as f64 / ticks;
            sum.soft_interrupts_s += soft as f64 / ticks;
            sum.steal_s += time.steal.unwrap_or(0) as f64 / ticks;
        }
        Some(sum)
    }

    /// What was done since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> CoreUse {
        CoreUse {
            cores: self.cores,
            busy_s: self.busy_s - earlier.busy_s,
            soft_interrupts_s: self.soft_interrupts_s - earlier.soft_interrupts_s,
            steal_s: self.steal_s - earlier.steal_s,
        }
    }
}
