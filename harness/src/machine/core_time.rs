use procfs::{CurrentSI as _, KernelStats};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CoreSet;

/// What the pinned cores have done up to now (`/proc/stat`, in ticks of 10 ms).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoreTime {
    busy_s: f64,
    soft_interrupts_s: f64,
    steal_s: f64,
}

/// What they did between two readings, in seconds of all these cores together.
#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct CoreUse {
    /// Not idle, whoever it was for.
    pub busy_s: f64,
    /// Of that, in soft interrupts, which no process accounts for.
    pub soft_interrupts_s: f64,
    /// Taken away by the hypervisor.
    pub steal_s: f64,
}

impl CoreTime {
    /// Reads it; `None` if the kernel does not say.
    #[must_use]
    pub fn of(cores: &CoreSet) -> Option<Self> {
        let stats = KernelStats::current().ok()?;
        let ticks = procfs::ticks_per_second() as f64;
        let mut sum = Self { busy_s: 0.0, soft_interrupts_s: 0.0, steal_s: 0.0 };
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
            busy_s: self.busy_s - earlier.busy_s,
            soft_interrupts_s: self.soft_interrupts_s - earlier.soft_interrupts_s,
            steal_s: self.steal_s - earlier.steal_s,
        }
    }
}
