//! Our own load generator: what it is told for a load, and the arguments that say so.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::time::Duration;

use ::loadgen::{Arrivals, CapacityPlan, ChatPlan, FeedPlan, Kind, Process, Subscription, Timing, Workload};

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
        Load::Broadcast {
            subscribers,
            publishers,
            transport,
            payload_bytes,
            rate,
            arrivals: process,
            ..
        } => Workload::Broadcast {
            subscribers,
            publishers,
            transport,
            payload_bytes,
            arrivals: arrivals(rate, process),
        },
        Load::Chat { clients, transport, payload_bytes, rate, arrivals: process } => {
            let arrivals = arrivals(rate, process);
            Workload::Chat(ChatPlan { clients, transport, payload_bytes, arrivals })
        }
        Load::Feed { clients, transport } => Workload::Feed(FeedPlan { clients, transport }),
        Load::Xhr { connections, .. } => Workload::Xhr { connections },
        Load::Countdown { clients, from, transport, .. } => Workload::Countdown { clients, from, transport },
        Load::Connect { connections, messages, transport, storm } => {
            Workload::Connect { connections, messages, transport, storm }
        }
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
            transport: Subscription::default(),
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
    let ::loadgen::Load { target, timing, threads, engine, spin, spin_us, connecting, workload } = load;
    let mut words = vec![bin.join(NAME).to_string_lossy().into_owned()];
    let mut tell = |flags: &[(&str, String)]| {
        words.extend(flags.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]));
    };
    tell(&[
        ("target", target.to_string()),
        ("threads", threads.to_string()),
        ("engine", engine.to_string()),
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
    let worded = flags.into_iter().flat_map(|(name, value)| [format!("--{name}"), value]);
    // A flag without a value has the empty one.
    words.extend(worded.filter(|word| !word.is_empty()));
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
        Workload::Broadcast { subscribers, publishers, transport, payload_bytes, arrivals } => {
            let mut flags = vec![
                ("subscribers", subscribers.to_string()),
                ("publishers", publishers.to_string()),
                ("transport", value_name(transport)),
                ("payload-bytes", payload_bytes.to_string()),
            ];
            flags.extend(timed(arrivals));
            ("broadcast", flags)
        }
        Workload::Chat(ChatPlan { clients, transport, payload_bytes, arrivals }) => {
            let mut flags = vec![
                ("clients", clients.to_string()),
                ("transport", value_name(transport)),
                ("payload-bytes", payload_bytes.to_string()),
            ];
            flags.extend(timed(arrivals));
            ("chat", flags)
        }
        Workload::Feed(FeedPlan { clients, transport }) => {
            ("feed", vec![("clients", clients.to_string()), ("transport", value_name(transport))])
        }
        Workload::Xhr { connections } => ("xhr", vec![("connections", connections.to_string())]),
        Workload::Countdown { clients, from, transport } => {
            let flags = vec![
                ("clients", clients.to_string()),
                ("from", from.to_string()),
                ("transport", transport.to_string()),
            ];
            ("countdown", flags)
        }
        Workload::Connect { connections, messages, transport, storm } => {
            let mut flags =
                vec![("connections", connections.to_string()), ("transport", transport.to_string())];
            flags.push(if *storm { ("storm", String::new()) } else { ("messages", messages.to_string()) });
            ("connect", flags)
        }
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
mod tests;
