//! Our own load generator: what it is told for a load, and the arguments that say so.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::time::Duration;

use ::loadgen::{Arrivals, CapacityPlan, Kind, Process, Timing, Workload};

use crate::plan::{self, Load, Rate};

/// Its name in the results.
pub const NAME: &str = "loadgen";
/// Time for reading what the processes hold, with nothing under way: before the load and after it.
const SETTLE: Duration = Duration::from_millis(100);
/// What the connecting and the last replies may take, each.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Messages of a capacity's sweep that are under way at a time.
const SWEEP_OUTSTANDING: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");

/// What connections of an echo have echoed before, at most: as much as the largest read buffer of a contender, which
/// tungstenite's is, so that any phase of it is as likely as another.
const STAGGER_BYTES: usize = 128 * 1024;

/// The workload that `load` asks for. `level` is what the trial has found out or tries: the rate of an echo whose
/// load does not fix it, the subscribers of a limit search. Without it, a share of capacity is a closed loop.
#[must_use]
pub fn workload(load: &Load, level: Option<NonZeroU32>, seed: u64) -> Workload {
    let arrivals = |rate: Option<Rate>, process: plan::Arrivals| {
        let (process, seed) = match process {
            plan::Arrivals::Constant => (Process::Constant, 0),
            plan::Arrivals::Poisson => (Process::Poisson, seed),
        };
        let rate = match rate {
            Some(Rate::PerSecond(rate)) => Some(rate),
            Some(Rate::Share(_)) => level,
            None => None,
        };
        // A closed loop has no arrivals.
        if rate.is_some() { Arrivals { rate, process, seed } } else { Arrivals::default() }
    };
    let one = NonZeroUsize::MIN;
    match *load {
        Load::Echo { connections, pipeline, payload_bytes, kind, rate, arrivals: process, .. } => {
            let kind = match kind {
                plan::Kind::Text => Kind::Text,
                plan::Kind::Binary => Kind::Binary,
            };
            Workload::Echo {
                connections,
                pipeline,
                payload_bytes,
                kind,
                messages: None,
                stagger_bytes: STAGGER_BYTES,
                arrivals: arrivals(rate, process),
            }
        }
        Load::Broadcast { subscribers, publishers, payload_bytes, rate, arrivals: process, .. } => {
            Workload::Broadcast { subscribers, publishers, payload_bytes, arrivals: arrivals(rate, process) }
        }
        Load::Xhr { connections } => Workload::Xhr { connections },
        Load::Capacity { step, max, limit_ms, .. } => Workload::Capacity(CapacityPlan {
            step,
            max,
            limit_ms: f64::from(limit_ms.get()),
            outstanding: SWEEP_OUTSTANDING,
            server_pids: Vec::new(),
        }),
        Load::EchoLimit { connections, payload_bytes, .. } => Workload::Echo {
            connections,
            pipeline: one,
            payload_bytes,
            kind: Kind::Text,
            messages: None,
            stagger_bytes: STAGGER_BYTES,
            arrivals: Arrivals { rate: level, ..Arrivals::default() },
        },
        Load::BroadcastLimit { rate, payload_bytes, .. } => Workload::Broadcast {
            subscribers: level.and_then(|level| NonZeroUsize::try_from(level).ok()).unwrap_or(one),
            publishers: one,
            payload_bytes,
            arrivals: Arrivals { rate: Some(rate), ..Arrivals::default() },
        },
    }
}

/// When to count: `seconds`, after a warm-up of at least `warmup_s` and at most `warmup_max_s`.
#[must_use]
pub fn timing(warmup_s: f64, warmup_max_s: f64, seconds: f64) -> Timing {
    let (settle_s, patience_s) = (SETTLE.as_secs_f64(), PATIENCE.as_secs_f64());
    Timing { warmup_s, warmup_max_s, seconds, settle_s, patience_s }
}

/// The command that tells the load generator in the folder `bin` this load.
#[must_use]
pub fn command(bin: &Path, load: &::loadgen::Load) -> Vec<String> {
    let ::loadgen::Load { target, timing, threads, spin, spin_us, connecting, workload } = load;
    let mut words = vec![bin.join(NAME).to_string_lossy().into_owned()];
    let mut tell = |flags: &[(&str, String)]| {
        words.extend(flags.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]));
    };
    tell(&[
        ("target", target.to_string()),
        ("threads", threads.to_string()),
        ("warmup-s", timing.warmup_s.to_string()),
        ("warmup-max-s", timing.warmup_max_s.to_string()),
        ("seconds", timing.seconds.to_string()),
        ("settle-s", timing.settle_s.to_string()),
        ("patience-s", timing.patience_s.to_string()),
        ("ramp", connecting.ramp.to_string()),
    ]);
    if *spin_us > 0 {
        tell(&[("spin-us", spin_us.to_string())]);
    }
    if let Some(processes) = connecting.processes {
        tell(&[("processes", processes.to_string())]);
    }
    if *spin {
        words.push("--spin".to_owned());
    }
    let (name, flags) = asked(workload);
    words.push(name.to_owned());
    words.extend(flags.into_iter().flat_map(|(name, value)| [format!("--{name}"), value]));
    words
}

/// A workload's name and its flags.
fn asked(workload: &Workload) -> (&'static str, Vec<(&'static str, String)>) {
    match workload {
        Workload::Echo { connections, pipeline, payload_bytes, kind, stagger_bytes, messages, arrivals } => {
            let mut flags = vec![
                ("connections", connections.to_string()),
                ("pipeline", pipeline.to_string()),
                ("payload-bytes", payload_bytes.to_string()),
                ("kind", value_name(kind)),
                ("stagger-bytes", stagger_bytes.to_string()),
            ];
            flags.extend(messages.map(|messages| ("messages", messages.to_string())));
            flags.extend(timed(arrivals));
            ("echo", flags)
        }
        Workload::Broadcast { subscribers, publishers, payload_bytes, arrivals } => {
            let mut flags = vec![
                ("subscribers", subscribers.to_string()),
                ("publishers", publishers.to_string()),
                ("payload-bytes", payload_bytes.to_string()),
            ];
            flags.extend(timed(arrivals));
            ("broadcast", flags)
        }
        Workload::Xhr { connections } => ("xhr", vec![("connections", connections.to_string())]),
        Workload::Capacity(plan) => {
            let mut flags = vec![
                ("step", plan.step.to_string()),
                ("max", plan.max.to_string()),
                ("limit-ms", plan.limit_ms.to_string()),
                ("outstanding", plan.outstanding.to_string()),
            ];
            if !plan.server_pids.is_empty() {
                let pids: Vec<String> = plan.server_pids.iter().map(u32::to_string).collect();
                flags.push(("server-pids", pids.join(",")));
            }
            ("capacity", flags)
        }
    }
}

fn timed(arrivals: &Arrivals) -> Vec<(&'static str, String)> {
    let Arrivals { rate, process, seed } = arrivals;
    let mut flags = vec![("arrivals", value_name(process)), ("seed", seed.to_string())];
    flags.extend(rate.map(|rate| ("rate", rate.to_string())));
    flags
}

/// How the command line calls a choice.
fn value_name(choice: &impl clap::ValueEnum) -> String {
    choice.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use ::loadgen::Connecting;
    use clap::Parser as _;

    use super::*;

    /// The load generator's own parser must read the command as what it was made from.
    fn told(load: &str, level: Option<u32>) -> Workload {
        let load: Load = toml::from_str(load).expect("a load");
        let workload = workload(&load, level.and_then(NonZeroU32::new), 11);
        let told = ::loadgen::Load {
            target: "127.0.0.1:9001".parse().expect("an address"),
            timing: timing(0.25, 1.25, 1.5),
            threads: NonZeroUsize::new(2).expect("not zero"),
            spin: true,
            spin_us: 0,
            connecting: Connecting { ramp: 7, processes: NonZeroUsize::new(3) },
            workload: match workload {
                Workload::Capacity(plan) => {
                    Workload::Capacity(CapacityPlan { server_pids: vec![1, 2], ..plan })
                }
                other => other,
            },
        };
        let read = ::loadgen::Load::try_parse_from(command(Path::new("/bin"), &told));
        assert_eq!(read.expect("flags that it knows"), told);
        told.workload
    }

    fn json(workload: &Workload) -> serde_json::Value {
        serde_json::to_value(workload).expect("JSON")
    }

    #[test]
    fn a_closed_echo_reaches_the_load_generator_whole() {
        let load =
            "workload = \"echo\"\nconnections = 7\npipeline = 3\npayload_bytes = 16\nkind = \"binary\"";
        let echo = serde_json::json!({"connections": 7, "pipeline": 3, "payload_bytes": 16, "kind": "binary", "stagger_bytes": 131_072});
        assert_eq!(json(&told(load, None))["echo"], echo);
    }

    #[test]
    fn an_open_loop_has_its_rate_its_process_and_the_seed() {
        let load =
            "workload = \"echo\"\nconnections = 7\npayload_bytes = 16\nrate = 40\narrivals = \"poisson\"";
        let arrivals = serde_json::json!({"rate": 40, "process": "poisson", "seed": 11});
        assert_eq!(json(&told(load, None))["echo"]["arrivals"], arrivals);
        let load = "workload = \"broadcast\"\nsubscribers = 9\npublishers = 2\npayload_bytes = 32\nrate = 40";
        let broadcast = serde_json::json!(
            {"subscribers": 9, "publishers": 2, "payload_bytes": 32, "arrivals": {"rate": 40}}
        );
        assert_eq!(json(&told(load, None))["broadcast"], broadcast);
    }

    #[test]
    fn a_share_is_a_closed_loop_until_the_capacity_is_known() {
        let load = "workload = \"echo\"\nconnections = 7\npayload_bytes = 16\nrate = \"80%\"\narrivals = \"poisson\"";
        assert!(json(&told(load, None))["echo"].get("arrivals").is_none());
        assert_eq!(json(&told(load, Some(900)))["echo"]["arrivals"]["rate"], 900);
    }

    #[test]
    fn requests_climbs_and_searches_reach_the_load_generator_whole() {
        assert_eq!(json(&told("workload = \"xhr\"\nconnections = 7", None))["xhr"]["connections"], 7);
        let capacity = json(&told("workload = \"capacity\"\nstep = 10\nmax = 25\nlimit_ms = 70", None));
        let plan = serde_json::json!({"step": 10, "max": 25, "limit_ms": 70.0, "outstanding": 256, "server_pids": [1, 2]});
        assert_eq!(capacity["capacity"], plan);
        let echo = told("workload = \"echo-limit\"\nconnections = 7\npayload_bytes = 16", Some(3000));
        assert_eq!(json(&echo)["echo"]["arrivals"]["rate"], 3000);
        let broadcast = told("workload = \"broadcast-limit\"\nrate = 10\npayload_bytes = 32", Some(300));
        let broadcast = &json(&broadcast)["broadcast"];
        assert_eq!((&broadcast["subscribers"], &broadcast["arrivals"]["rate"]), (&300.into(), &10.into()));
    }
}
