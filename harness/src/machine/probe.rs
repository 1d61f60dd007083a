use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::thread;
use std::time::Instant;

use rustix::thread::sched_setaffinity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CoreSet;

/// Round trips, and how often the whole is repeated: the median of the repeats is taken.
const ROUND_TRIPS: u64 = 2_000;
const REPEATS: usize = 9;
/// Steps of the arithmetic, and system calls, of one repeat.
const STEPS: u64 = 20_000;

/// How fast the pinned cores are right now: what tells the states of a machine apart. A few milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Probe {
    /// A cache line from a server's core to a tool's core and back, in ns; none if they have a core in common.
    pub ping_pong_ns: Option<f64>,
    /// A step of dependent arithmetic on a server's core, in ns: the clock frequency.
    pub arithmetic_ns: f64,
    /// A system call that does next to nothing on a server's core, in ns.
    pub system_call_ns: f64,
}

impl Probe {
    /// Probes the first core of either set.
    #[must_use]
    pub fn take(server: &CoreSet, tool: &CoreSet) -> Self {
        let (server, tool) = (server.first(), tool.first());
        thread::scope(|scope| {
            let alone = scope.spawn(|| {
                pin(&server);
                (median_ns(STEPS, arithmetic), median_ns(STEPS, system_calls))
            });
            let (arithmetic_ns, system_call_ns) = alone.join().unwrap_or((f64::NAN, f64::NAN));
            let ping_pong_ns = (server != tool).then(|| ping_pong(&server, &tool));
            Self { ping_pong_ns, arithmetic_ns, system_call_ns }
        })
    }
}

/// A line of its own, so that nothing else moves it.
#[repr(align(128))]
struct Line(AtomicU64);

fn ping_pong(server: &CoreSet, tool: &CoreSet) -> f64 {
    let line = Line(AtomicU64::new(0));
    let total = ROUND_TRIPS * REPEATS as u64;
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(tool);
            for turn in 0..total {
                wait_for(&line, 2 * turn + 1);
                line.0.store(2 * turn + 2, Release);
            }
        });
        let asks = scope.spawn(|| {
            pin(server);
            let mut turn = 0;
            median_ns(ROUND_TRIPS, |turns| {
                for _ in 0..turns {
                    line.0.store(2 * turn + 1, Release);
                    wait_for(&line, 2 * turn + 2);
                    turn += 1;
                }
            })
        });
        asks.join().unwrap_or(f64::NAN)
    })
}

/// Spins, and lets others run after a while: the other side may not be on its core yet.
fn wait_for(line: &Line, value: u64) {
    let mut spins = 0_u32;
    while line.0.load(Acquire) != value {
        spins += 1;
        if spins.is_multiple_of(10_000) {
            thread::yield_now();
        } else {
            spin_loop();
        }
    }
}

fn arithmetic(steps: u64) {
    let mut value = 1_u64;
    for _ in 0..steps {
        value = black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}

fn system_calls(calls: u64) {
    for _ in 0..calls {
        black_box(rustix::process::getppid());
    }
}

fn median_ns(count: u64, mut work: impl FnMut(u64)) -> f64 {
    let mut times: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let start = Instant::now();
            work(count);
            start.elapsed().as_nanos() as f64 / count as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[REPEATS / 2]
}

/// Where it cannot be pinned the probe is taken where it is: a wider scatter, and no failure.
fn pin(cores: &CoreSet) {
    let _ = sched_setaffinity(None, &cores.to_cpu_set());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_shared_by_both_has_no_ping_pong_and_two_cores_have_one() {
        let allowed = CoreSet::allowed().expect("some cores");
        let one = Probe::take(&allowed, &allowed);
        assert!(one.ping_pong_ns.is_none() && one.arithmetic_ns > 0.0 && one.system_call_ns > 0.0, "{one:?}");
        if let (cores, notes) = super::super::Cores::divide(&allowed, None, None).expect("allowed")
            && notes.is_empty()
        {
            let two = Probe::take(&cores.server, &cores.tool);
            assert!(two.ping_pong_ns.is_some_and(|time| time > 0.0), "{two:?}");
        }
    }
}
