//! The search for the highest level that a server keeps up with.

use std::fmt;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use loadgen::Measurement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bench::Taken;
use super::bracket::Bracket;
use super::driver::{Driven, Driver};
use super::{Doubt, Failed, Failure, doubts};
use crate::plan::{Load, Profile};
use crate::tool;

/// Load of each step before counting begins, and that is counted, in seconds; less where the profile's are less.
const WARMUP_S: f64 = 0.25;
const SECONDS: f64 = 1.0;
/// Publications that a step counts at the least, however seldom they are.
const LEAST_PUBLICATIONS: f64 = 10.0;
/// A search ends after so many steps, or when so much time is over.
const MOST_STEPS: usize = 48;
const MOST_TIME: Duration = Duration::from_secs(180);
/// Where it begins, and the highest rate that it tries.
const FIRST_RATE: u32 = 8_000;
const FIRST_SUBSCRIBERS: u32 = 64;
const MOST_RATE: u32 = 10_000_000;

/// A search on one server, every step of it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Search {
    /// The highest level at which the latency stayed under the limit and nothing was missed; `None`: not even the lowest.
    pub kept: Option<u32>,
    /// What ended it.
    pub ended: SearchEnd,
    /// The steps, in their order.
    pub steps: Vec<SearchStep>,
}

/// What ended a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchEnd {
    /// The limit is known to five percent.
    Found,
    /// The highest level that may be tried was kept.
    Highest,
    /// The load generator was the limit.
    Tool,
    /// Too many steps.
    Steps,
    /// Too much time.
    Time,
    /// The server died.
    Died,
}

impl fmt::Display for SearchEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Found => "the limit was found",
            Self::Highest => "the highest level that may be tried was kept",
            Self::Tool => "the load generator was the limit",
            Self::Steps => "it took too many steps",
            Self::Time => "it took too much time",
            Self::Died => "the server died",
        })
    }
}

/// One level, tried once.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct SearchStep {
    /// Messages a second that were offered (echo), or subscribers (broadcast).
    pub level: u32,
    /// Correct replies or deliveries a second.
    pub achieved_per_s: f64,
    /// 99th percentile of the latency, in ns, from the intended sending; `None`: nothing arrived.
    pub p99_ns: Option<u64>,
    /// Was it kept?
    pub verdict: Verdict,
}

/// Was a level kept, and if not, why not?
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was.
    Kept,
    /// The 99th percentile was above the limit.
    TooSlow,
    /// The load generator had no time left, so it may have been the one that was too slow.
    ToolLimited,
    /// The rate was missed, or something was lost or wrong.
    Missed(Vec<Doubt>),
    /// There was no measurement.
    Failed(Failure),
}

/// What is sought.
pub(super) struct Sought {
    first: u32,
    most: u32,
    until_p99_ns: u64,
    warmup_s: f64,
    seconds: f64,
}

impl Sought {
    /// By the load; `None`: it is no search. A process may hold `most_connections`.
    pub(super) fn by(load: &Load, profile: &Profile, most_connections: u32) -> Option<Self> {
        let ns = |ms: NonZeroU32| u64::from(ms.get()) * 1_000_000;
        let (warmup_s, seconds) = (profile.warmup_s.min(WARMUP_S), profile.seconds.min(SECONDS));
        match *load {
            Load::BroadcastLimit { rate, until_p99_ms, .. } => Some(Self {
                first: FIRST_SUBSCRIBERS,
                most: most_connections.saturating_sub(1),
                until_p99_ns: ns(until_p99_ms),
                warmup_s,
                seconds: (LEAST_PUBLICATIONS / f64::from(rate.get())).max(seconds),
            }),
            Load::EchoLimit { until_p99_ms, .. } => Some(Self {
                first: FIRST_RATE,
                most: MOST_RATE,
                until_p99_ns: ns(until_p99_ms),
                warmup_s,
                seconds,
            }),
            _ => None,
        }
    }

    fn verdict(&self, measurement: &Measurement, doubts: &[Doubt]) -> Verdict {
        let missed: Vec<Doubt> = doubts.iter().filter(|doubt| doubt.invalidates()).cloned().collect();
        let p99_ns = measurement.latency.quantile_ns(0.99);
        if missed.is_empty() && p99_ns.is_some_and(|p99_ns| p99_ns <= self.until_p99_ns) {
            Verdict::Kept
        } else if doubts.iter().any(|doubt| matches!(doubt, Doubt::ToolLimited { .. })) {
            Verdict::ToolLimited
        } else if missed.is_empty() {
            Verdict::TooSlow
        } else {
            Verdict::Missed(missed)
        }
    }
}

/// Searches on the driver's server. What was measured is what the highest level that was kept gave.
///
/// # Errors
/// Not one step gave a measurement, or the run was interrupted.
pub(super) fn search(driver: &mut Driver<'_>, load: &Load, sought: &Sought) -> Result<Taken, Failed> {
    let began = Instant::now();
    let mut bracket = Bracket::new(sought.first, sought.most);
    let (mut steps, mut best, mut last, mut failed) = (Vec::new(), None, None, None);
    let ended = loop {
        let Some(level) = bracket.next().and_then(NonZeroU32::new) else {
            break bracket.missed().map_or(SearchEnd::Highest, |missed| end_at(missed, &steps));
        };
        let mut is_kept = false;
        // A level is missed when it is missed twice: a moment of the machine's must not end the growth.
        for _ in 0..2 {
            let step = match try_level(driver, load, level, sought) {
                Ok((step, taken)) if step.verdict == Verdict::Kept => {
                    best = Some(taken);
                    step
                }
                Ok((step, taken)) => {
                    last = Some(taken);
                    step
                }
                Err(Failed { failure: Failure::Interrupted, .. }) => return Err(Failure::Interrupted.into()),
                Err(why) => {
                    let verdict = Verdict::Failed(why.failure.clone());
                    failed = Some(why);
                    SearchStep { level: level.get(), achieved_per_s: 0.0, p99_ns: None, verdict }
                }
            };
            is_kept = step.verdict == Verdict::Kept;
            steps.push(step);
            if is_kept || driver.server.ended().is_some() {
                break;
            }
        }
        bracket.note(level.get(), is_kept);
        if driver.server.ended().is_some() {
            break SearchEnd::Died;
        } else if steps.len() >= MOST_STEPS {
            break SearchEnd::Steps;
        } else if began.elapsed() > MOST_TIME {
            break SearchEnd::Time;
        }
    };
    let kept = bracket.kept();
    let Some((driven, mut doubts)) = best.or(last) else {
        return Err(failed.unwrap_or_else(|| Failure::Interrupted.into()));
    };
    doubts.extend(doubts_of(kept, ended, sought));
    Ok(Taken { driven, doubts, calibration: None, search: Some(Search { kept, ended, steps }), report: None })
}

/// What speaks against the limit that was found.
fn doubts_of(kept: Option<u32>, ended: SearchEnd, sought: &Sought) -> impl Iterator<Item = Doubt> + use<> {
    let none = kept.is_none().then_some(Doubt::NoLevelKept { until_p99_ms: sought.until_p99_ns / 1_000_000 });
    none.into_iter().chain((ended != SearchEnd::Found).then_some(Doubt::SearchCutOff { ended }))
}

/// What it means that the search ends at a level that was missed.
fn end_at(missed: u32, steps: &[SearchStep]) -> SearchEnd {
    let is_tools = |step: &SearchStep| step.level == missed && step.verdict == Verdict::ToolLimited;
    if steps.iter().any(is_tools) { SearchEnd::Tool } else { SearchEnd::Found }
}

/// One level, measured, with all that speaks against what was.
type Tried = (Driven, Vec<Doubt>);

fn try_level(
    driver: &mut Driver<'_>,
    load: &Load,
    level: NonZeroU32,
    sought: &Sought,
) -> Result<(SearchStep, Tried), Failed> {
    let tool_cores = driver.bench.tool_cores.len();
    let workload = tool::workload(load, Some(level), 0);
    let timing = tool::timing(sought.warmup_s, sought.warmup_s, sought.seconds);
    let driven = driver.drive(workload, false, timing)?;
    let measurement = &driven.0;
    let doubts = doubts(measurement, tool_cores);
    let step = SearchStep {
        level: level.get(),
        achieved_per_s: measurement.messages as f64 / measurement.seconds,
        p99_ns: measurement.latency.quantile_ns(0.99),
        verdict: sought.verdict(measurement, &doubts),
    };
    Ok((step, (driven, doubts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_counts_if_a_level_was_kept_and_is_a_lower_bound_if_the_search_was_cut_off() {
        let sought = Sought { first: 8, most: 64, until_p99_ns: 10_000_000, warmup_s: 0.1, seconds: 0.1 };
        let doubts = |kept, ended| doubts_of(kept, ended, &sought).collect::<Vec<_>>();
        assert_eq!(doubts(Some(8), SearchEnd::Found), []);
        let none = doubts(None, SearchEnd::Found);
        assert_eq!(none, [Doubt::NoLevelKept { until_p99_ms: 10 }]);
        assert!(none[0].invalidates() && none[0].is_failure());
        let cut_off = doubts(Some(8), SearchEnd::Time);
        assert!(matches!(cut_off[..], [Doubt::SearchCutOff { ended: SearchEnd::Time }]), "{cut_off:?}");
        assert!(!cut_off[0].invalidates() && cut_off[0].is_lower_bound());
        assert_eq!(doubts(None, SearchEnd::Died).len(), 2);
    }
}
