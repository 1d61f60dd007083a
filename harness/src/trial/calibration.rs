use std::num::NonZeroU32;

use loadgen::Measurement;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Rate;

/// What a trial found out before it offered a share of it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Calibration {
    /// Messages (echo) or publications (broadcast) a second in closed loop, on the same server with as many connections.
    pub capacity_per_s: f64,
    /// For how long that was measured, in seconds.
    pub seconds: f64,
    /// What was then offered in open loop, a second.
    pub offered_per_s: NonZeroU32,
}

impl Calibration {
    /// For how long the capacity is measured, unless the profile's seconds are fewer.
    pub(super) const SECONDS: f64 = 1.0;

    /// By what was measured in closed loop.
    pub(super) fn of(closed: &Measurement, percent: NonZeroU32) -> Self {
        // A publication in closed loop is one that has reached all.
        let answered = if closed.load.workload.is_fan_out() { closed.sent } else { closed.messages };
        let seconds = closed.seconds;
        let capacity_per_s = if seconds > 0.0 { answered as f64 / seconds } else { 0.0 };
        Self { capacity_per_s, seconds, offered_per_s: Rate::share_of(percent, capacity_per_s) }
    }
}
