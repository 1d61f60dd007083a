use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How well a run's figures are to be known: more rounds follow those of the profile until they are.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// Half the width of each 95 % interval that is waited for, at most, in percent of its figure.
    pub percent: f64,
    /// No further round begins when those behind the profile's have taken so long, in seconds.
    #[serde(default = "Until::default_seconds")]
    pub seconds: f64,
}

impl Until {
    /// Half an hour, for the rounds behind the profile's.
    #[must_use]
    pub fn default_seconds() -> f64 {
        1800.0
    }

    /// Can it be reached at all?
    ///
    /// # Errors
    /// What is beyond all measure, and what was expected.
    pub fn check(self) -> Result<(), String> {
        let Self { percent, seconds } = self;
        if !(0.01..=100.0).contains(&percent) {
            return Err(format!("until ±{percent} %: expected 0.01 to 100"));
        }
        if !(0.0..=604_800.0).contains(&seconds) {
            return Err(format!("until {seconds} s are spent: expected 0 to 604800, which is a week"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_reached_is_refused_and_the_time_has_a_default() {
        let until: Until = toml::from_str("percent = 2.0").expect("well-formed");
        assert_eq!(until, Until { percent: 2.0, seconds: 1800.0 });
        assert_eq!(until.check(), Ok(()));
        for percent in [0.0, -1.0, 101.0, f64::NAN] {
            assert!(Until { percent, ..until }.check().is_err_and(|said| said.contains("0.01 to 100")));
        }
        assert!(Until { seconds: f64::INFINITY, ..until }.check().is_err());
    }
}
