use std::fmt::Display;
use std::num::NonZeroUsize;

use super::{Arrivals, CapacityPlan, ChatPlan, Load, Timing, Workload};
use crate::broadcast::Broadcast;
use crate::spread::MAX_PROCESSES;

/// What a load can be: beyond these something overflows, or no memory is large enough.
const MAX_SECONDS: f64 = 86_400.0;
pub(crate) const MAX_THREADS: usize = 1024;
const MAX_CONNECTIONS: usize = 1 << 24;
const MAX_PIPELINE: usize = 1 << 16;
const MAX_RATE: u32 = 10_000_000;
const MAX_SPIN_US: u32 = 1_000_000;
const MAX_PUBLISHERS: usize = 1 << 16;
const MAX_PAYLOAD_BYTES: usize = 1 << 26;
/// At ten microseconds a step it is as long as the patience: more would be finished by nobody.
const MAX_FROM: u64 = 1_000_000;

impl Load {
    /// Says what is out of range, if anything is.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Timing { warmup_s, warmup_max_s, seconds, settle_s, patience_s } = self.timing;
        within("--warmup-s", warmup_s, 0.0, MAX_SECONDS)?;
        within("--warmup-max-s", warmup_max_s, 0.0, MAX_SECONDS)?;
        within("--seconds", seconds, 0.001, MAX_SECONDS)?;
        within("--settle-s", settle_s, 0.0, MAX_SECONDS)?;
        within("--patience-s", patience_s, 0.001, MAX_SECONDS)?;
        within("--threads", self.threads.get(), 1, MAX_THREADS)?;
        within("--spin-us", self.spin_us, 0, MAX_SPIN_US)?;
        let processes = self.connecting.processes.map_or(1, NonZeroUsize::get);
        within("--processes", processes, 1, MAX_PROCESSES)?;
        match self.workload {
            Workload::Echo { pipeline, messages, payload_bytes, stagger_bytes, ref arrivals, .. } => {
                arrivals.check()?;
                if arrivals.rate.is_some() && messages.is_some() {
                    return Err("--messages: not with --rate, which sends until its time is over".to_owned());
                }
                if arrivals.rate.is_some() && pipeline.get() > 1 {
                    return Err(format!(
                        "--pipeline {pipeline}: not with --rate, which leaves open how many are outstanding"
                    ));
                }
                within("--pipeline", pipeline.get(), 1, MAX_PIPELINE)?;
                within("--stagger-bytes", stagger_bytes, 0, MAX_PAYLOAD_BYTES)?;
                within("--payload-bytes", payload_bytes, 0, MAX_PAYLOAD_BYTES)
            }
            Workload::Xhr { .. } | Workload::Feed(_) | Workload::Connect { .. } => Ok(()),
            Workload::Countdown { from, .. } => within("--from", from.get(), 1, MAX_FROM),
            Workload::Capacity(ref plan) => plan.check(),
            Workload::Broadcast { publishers, payload_bytes, ref arrivals, .. } => {
                arrivals.check()?;
                within("--publishers", publishers.get(), 1, MAX_PUBLISHERS)?;
                publication(payload_bytes)
            }
            Workload::Chat(ChatPlan { clients, payload_bytes, ref arrivals, .. }) => {
                arrivals.check()?;
                within("--clients", clients.get(), 1, MAX_PUBLISHERS)?;
                publication(payload_bytes)
            }
        }
    }
}

impl CapacityPlan {
    fn check(&self) -> Result<(), String> {
        within("--max", self.max.get(), 1, MAX_CONNECTIONS)?;
        within("--limit-ms", self.limit_ms, 0.001, MAX_SECONDS * 1e3)
    }
}

impl Arrivals {
    fn check(&self) -> Result<(), String> {
        self.rate.map_or(Ok(()), |rate| within("--rate", rate.get(), 1, MAX_RATE))
    }
}

fn publication(payload_bytes: usize) -> Result<(), String> {
    within("--payload-bytes", payload_bytes, Broadcast::MIN_BYTES, MAX_PAYLOAD_BYTES)
}

fn within<T: PartialOrd + Display + Copy>(flag: &str, value: T, least: T, most: T) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("{flag} {value}: expected {least} to {most}"))
    }
}
