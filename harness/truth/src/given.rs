use std::time::Duration;

use loadgen::Distribution;
use serde::{Deserialize, Serialize};

use crate::Delay;

/// What the server gave, by its own clock: the truth that a measurement is held against. One JSON line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Given {
    /// What it was told to delay by.
    pub delay: Delay,
    /// From when a message had been read to just before its reply was sent, of every reply since the server began.
    pub delays: Distribution,
    /// How often everything stood still.
    pub stalls: u64,
    /// For how long in all, in µs.
    pub stalled_us: f64,
    /// CPU time that was burnt on purpose, in µs: time of the busy loops by the clock on the wall, each at most twice as long
    /// as asked for, and of a reading of that clock for each. So it is the truth as long as the server has its core to itself.
    pub burnt_us: f64,
}

impl Given {
    /// Nothing yet.
    #[must_use]
    pub fn new(delay: Delay) -> Self {
        Self { delay, delays: Distribution::new(), stalls: 0, stalled_us: 0.0, burnt_us: 0.0 }
    }

    /// Counts a reply that is about to be sent.
    pub fn add_reply(&mut self, delay: Duration) {
        self.delays.record_ns(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Counts a stall that has ended.
    pub fn add_stall(&mut self, lasted: Duration) {
        self.stalls += 1;
        self.stalled_us += lasted.as_secs_f64() * 1e6;
    }

    /// Counts time burnt.
    pub fn add_burnt(&mut self, burnt: Duration) {
        self.burnt_us += burnt.as_secs_f64() * 1e6;
    }

    /// Replies sent.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.delays.count()
    }
}
