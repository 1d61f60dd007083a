use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A known distribution of delays, in µs. As text, on the command line and in records: `constant:1000`,
/// `two-point:1000:10000:0.1` (the second with this probability), `uniform:500:1500`, `exponential:2000` (its mean).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Delay {
    /// Always the same; 0 for none.
    Constant(f64),
    /// Most often short, sometimes long.
    TwoPoint {
        /// The short delay.
        short_us: f64,
        /// The long one.
        long_us: f64,
        /// Probability of the long one.
        long_share: f64,
    },
    /// Equally likely anywhere between the two.
    Uniform(f64, f64),
    /// Memoryless, with this mean.
    Exponential(f64),
}

impl Delay {
    /// One delay.
    #[must_use]
    pub fn draw(&self, random: &mut fastrand::Rng) -> Duration {
        let us = match *self {
            Self::Constant(us) => us,
            Self::TwoPoint { long_us, long_share, .. } if random.f64() < long_share => long_us,
            Self::TwoPoint { short_us, .. } => short_us,
            Self::Uniform(least, most) => least + (most - least) * random.f64(),
            Self::Exponential(mean) => -mean * (1.0 - random.f64()).ln(),
        };
        Duration::from_secs_f64(us / 1e6)
    }
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let numbers: Result<Vec<f64>, _> = rest.split(':').map(str::parse).collect();
        let delay = match (name, numbers.unwrap_or_default().as_slice()) {
            ("constant", &[us]) => Self::Constant(us),
            ("two-point", &[short_us, long_us, long_share]) => {
                Self::TwoPoint { short_us, long_us, long_share }
            }
            ("uniform", &[least, most]) => Self::Uniform(least, most),
            ("exponential", &[mean]) => Self::Exponential(mean),
            _ => {
                return Err(format!(
                    "delay {text:?}: expected constant:US, two-point:US:US:SHARE, uniform:US:US or exponential:US"
                ));
            }
        };
        let fits = match delay {
            Self::Constant(us) | Self::Exponential(us) => is_delay(us),
            Self::Uniform(least, most) => is_delay(least) && is_delay(most) && least <= most,
            Self::TwoPoint { short_us, long_us, long_share } => {
                is_delay(short_us) && is_delay(long_us) && (0.0..=1.0).contains(&long_share)
            }
        };
        fits.then_some(delay)
            .ok_or_else(|| format!("delay {text:?}: expected 0 to {MOST_US} µs, and a share of 0 to 1"))
    }
}

/// A second: beyond it a tool's patience is what one measures.
const MOST_US: f64 = 1e6;

fn is_delay(us: f64) -> bool {
    (0.0..=MOST_US).contains(&us)
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(us) => write!(f, "constant:{us}"),
            Self::TwoPoint { short_us, long_us, long_share } => {
                write!(f, "two-point:{short_us}:{long_us}:{long_share}")
            }
            Self::Uniform(least, most) => write!(f, "uniform:{least}:{most}"),
            Self::Exponential(mean) => write!(f, "exponential:{mean}"),
        }
    }
}

impl TryFrom<String> for Delay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Delay> for String {
    fn from(delay: Delay) -> Self {
        delay.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn_us(text: &str) -> Vec<f64> {
        let delay: Delay = text.parse().expect("a delay");
        let mut random = fastrand::Rng::with_seed(1);
        (0..10_000).map(|_| delay.draw(&mut random).as_secs_f64() * 1e6).collect()
    }

    fn mean(numbers: &[f64]) -> f64 {
        numbers.iter().sum::<f64>() / numbers.len() as f64
    }

    #[test]
    fn what_is_drawn_has_the_distribution_that_was_asked_for() {
        assert!(drawn_us("constant:250").iter().all(|us| (us - 250.0).abs() < 0.01));
        let long = drawn_us("two-point:1000:10000:0.1").iter().filter(|us| **us > 5000.0).count();
        assert!(long.abs_diff(1000) < 150, "{long} of 10,000, five standard deviations");
        let uniform = drawn_us("uniform:500:1500");
        assert!(uniform.iter().all(|us| (499.9..1500.1).contains(us)));
        assert!((mean(&uniform) - 1000.0).abs() < 15.0, "{}", mean(&uniform));
        let mut exponential = drawn_us("exponential:2000");
        assert!((mean(&exponential) - 2000.0).abs() < 100.0, "{}", mean(&exponential));
        exponential.sort_by(f64::total_cmp);
        let p90_us = exponential[9_000];
        assert!((p90_us / (2000.0 * 10_f64.ln()) - 1.0).abs() < 0.06, "{p90_us}");
    }

    #[test]
    fn text_that_names_no_distribution_is_refused_and_what_names_one_reads_back() {
        for text in ["constant:1000", "two-point:1000:10000:0.1", "uniform:500:1500", "exponential:2000"] {
            assert_eq!(text.parse::<Delay>().expect("a delay").to_string(), text);
        }
        for text in
            ["", "constant", "constant:x", "constant:-1", "constant:NaN", "uniform:2:1", "two-point:1:2:1.1"]
        {
            assert!(text.parse::<Delay>().is_err_and(|error| error.contains("expected")), "{text}");
        }
    }
}
