use std::fmt;

use loadgen::Measurement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::{Drift, drift};

const WINDOW_S: f64 = Measurement::WINDOW_MS as f64 / 1e3;

/// How a load was seen not to be steady.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unsteady {
    /// The warm-up came to its limit before.
    WarmUp {
        /// How long it lasted.
        seconds: f64,
    },
    /// The rate changed in the measured time.
    Drift {
        /// So long after its begin, in seconds.
        after_s: f64,
        /// Mean before that, in replies or deliveries a second.
        before_per_s: f64,
        /// Mean from then on, likewise.
        then_per_s: f64,
    },
}

/// What speaks against the load's having been steady.
pub(super) fn unsteady(measurement: &Measurement) -> impl Iterator<Item = Unsteady> {
    let cut_off = measurement.warmup.filter(|warmup| warmup.steady == Some(false));
    let warm_up = cut_off.map(|warmup| Unsteady::WarmUp { seconds: warmup.seconds });
    // The last window may be in part.
    let whole = (measurement.seconds / WINDOW_S) as usize;
    let replies: Vec<f64> = measurement.windows.iter().take(whole).map(|&replies| replies as f64).collect();
    let drift = drift(&replies).map(|Drift { at, before, after }| Unsteady::Drift {
        after_s: at as f64 * WINDOW_S,
        before_per_s: before / WINDOW_S,
        then_per_s: after / WINDOW_S,
    });
    warm_up.into_iter().chain(drift)
}

impl fmt::Display for Unsteady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WarmUp { seconds } => write!(
                f,
                "not steady after {seconds:.1} s of warm-up, when counting began: give the profile a greater warmup_max_s"
            ),
            Self::Drift { after_s, before_per_s, then_per_s } => write!(
                f,
                "not steady: {before_per_s:.0}/s in the first {after_s:.2} s of the measured time, and {then_per_s:.0}/s \
                 from then on; a greater warmup_s helps if the server was still warming up"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use loadgen::Warmup;

    use super::*;
    use crate::trial::sample;

    /// A measurement of two seconds, with these replies in its windows.
    fn measurement(windows: Vec<u64>) -> Measurement {
        Measurement { windows, ..sample::measurement() }
    }

    #[test]
    fn a_drift_is_told_in_seconds_and_replies_a_second() {
        let windows = (0..41).map(|window| [100, 60, 0][window / 20]).collect();
        let told: Vec<Unsteady> = unsteady(&measurement(windows)).collect();
        assert_eq!(told, [Unsteady::Drift { after_s: 1.0, before_per_s: 2000.0, then_per_s: 1200.0 }]);
    }

    #[test]
    fn a_warm_up_is_told_that_came_to_its_limit_and_no_other() {
        for (steady, expected) in [(None, 0), (Some(true), 0), (Some(false), 1)] {
            let warmup = Some(Warmup { seconds: 2.5, steady });
            let told = unsteady(&Measurement { warmup, ..measurement(vec![100; 40]) }).count();
            assert_eq!(told, expected, "{steady:?}");
        }
    }
}
