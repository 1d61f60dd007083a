//! How long a run should take.

use std::time::Duration;

use crate::plan::{Load, Profile, Rate, Slot, ToolName};

/// Booting, probing and stopping add about this to a trial, and connecting, settling and draining to each drive of the tool.
const OVERHEAD_S: f64 = 0.3;
const DRIVE_S: f64 = 0.3;
/// A search takes about so many steps of so long: they are short whatever the profile says.
const SEARCH_STEPS: f64 = 16.0;
const SEARCH_STEP_S: f64 = 1.25;
/// What a server does about, where only it could tell.
const CONNECTS_PER_S: f64 = 20_000.0;
/// Before an echo each connection has so many messages on average, to get out of step.
const PAST_MESSAGES: f64 = 125.0;
const SWEPT_PER_S: f64 = 100_000.0;

/// What the trials that are left should take, and how far off the guess was for those that were taken.
#[derive(Debug)]
pub(super) struct Eta {
    left_s: f64,
    taken_s: f64,
}

impl Eta {
    /// For these trials.
    pub(super) fn of(slots: &[Slot], profile: &Profile) -> Self {
        let mut eta = Self { left_s: 0.0, taken_s: 0.0 };
        eta.expect(slots, profile);
        eta
    }

    /// These come in addition.
    pub(super) fn expect(&mut self, slots: &[Slot], profile: &Profile) {
        self.left_s += slots.iter().map(|slot| expected_s(&slot.load, profile)).sum::<f64>();
    }

    /// A trial with this load has been taken.
    pub(super) fn taken(&mut self, load: &Load, profile: &Profile) {
        let expected_s = expected_s(load, profile);
        self.left_s = (self.left_s - expected_s).max(0.0);
        self.taken_s += expected_s;
    }

    /// What is left, after `elapsed`.
    pub(super) fn left(&self, elapsed: Duration) -> Duration {
        let slowness = if self.taken_s > 0.0 { elapsed.as_secs_f64() / self.taken_s } else { 1.0 };
        Duration::try_from_secs_f64(self.left_s * slowness).unwrap_or(Duration::MAX)
    }
}

fn expected_s(load: &Load, profile: &Profile) -> f64 {
    let Profile { warmup_s, seconds, .. } = *profile;
    let past_s = match *load {
        Load::Echo { connections, .. } => connections.get() as f64 * PAST_MESSAGES / SWEPT_PER_S,
        _ => 0.0,
    };
    let drive_s = past_s + warmup_s + seconds + DRIVE_S;
    OVERHEAD_S
        + match *load {
            // Our own warms up for another's.
            _ if load.tool() != ToolName::Loadgen => drive_s + DRIVE_S,
            Load::EchoLimit { .. } | Load::BroadcastLimit { .. } => {
                SEARCH_STEPS * (drive_s.min(SEARCH_STEP_S) + DRIVE_S)
            }
            Load::Capacity { step, max, .. } => {
                let (step, max) = (step.get() as f64, max.get() as f64);
                // Each step sweeps what all before it have opened.
                max / CONNECTS_PER_S + max * (max / step + 1.0) / 2.0 / SWEPT_PER_S
            }
            _ if matches!(load.rate(), Some(Rate::Share(_))) => {
                drive_s + warmup_s + seconds.min(1.0) + DRIVE_S
            }
            _ => drive_s,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Asked;

    #[test]
    fn what_is_left_is_weighed_by_the_loads_and_by_how_long_those_taken_took() {
        let profile = "description = \"\"\nrounds = 1\nwarmup_s = 1.0\nseconds = 4.0\n\
                       [[load]]\nworkload = \"xhr\"\nconnections = 1\n\
                       [[load]]\nworkload = \"echo-limit\"\nconnections = 1\npayload_bytes = 1\n";
        let profile: Profile = toml::from_str(profile).expect("a profile");
        let slot = |load: &Asked| Slot { round: 1, contender: String::new(), load: load.load.clone() };
        let slots: Vec<Slot> = profile.loads.iter().map(slot).collect();
        let mut eta = Eta::of(&slots, &profile);
        let all = eta.left(Duration::ZERO);
        eta.taken(&profile.loads[0], &profile);
        let as_expected = Duration::from_secs_f64(expected_s(&profile.loads[0], &profile));
        let rest = eta.left(as_expected);
        assert!(rest > all / 2, "the search is the longer one: {rest:?} of {all:?}");
        assert!((eta.left(as_expected * 2).as_secs_f64() / rest.as_secs_f64() - 2.0).abs() < 1e-6);
        eta.taken(&profile.loads[1], &profile);
        assert!(eta.left(as_expected) < Duration::from_millis(1));
    }
}
