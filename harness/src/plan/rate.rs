use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How much an open loop offers: `rate = 1000`, or `rate = "80%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Messages (echo) or publications (broadcast) a second.
    PerSecond(NonZeroU32),
    /// Percent of what the server does in closed loop, as the trial itself finds it.
    Share(NonZeroU32),
}

impl Rate {
    /// A rate beyond it is beyond the load generator.
    const MOST_PER_SECOND: u32 = 10_000_000;

    fn per_second(value: u64) -> Option<Self> {
        let value = u32::try_from(value).ok().filter(|value| *value <= Self::MOST_PER_SECOND)?;
        NonZeroU32::new(value).map(Self::PerSecond)
    }

    fn share(text: &str) -> Option<Self> {
        let percent = text.strip_suffix('%')?.trim_end().parse().ok().filter(|percent| *percent <= 100)?;
        NonZeroU32::new(percent).map(Self::Share)
    }

    /// The share of a capacity, in whole messages a second; at least one.
    #[must_use]
    pub fn share_of(percent: NonZeroU32, capacity_per_s: f64) -> NonZeroU32 {
        let offered = (capacity_per_s * f64::from(percent.get()) / 100.0).round();
        NonZeroU32::new(offered.min(f64::from(Self::MOST_PER_SECOND)) as u32).unwrap_or(NonZeroU32::MIN)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PerSecond(rate) => write!(f, "{rate}/s"),
            Self::Share(percent) => write!(f, "at {percent} % of capacity"),
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::PerSecond(rate) => rate.serialize(serializer),
            Self::Share(percent) => serializer.collect_str(&format_args!("{percent}%")),
        }
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How much an open loop offers: messages (echo) or publications (broadcast) a second, or percent of what the \
                server does in closed loop, as the trial itself finds it.",
            "oneOf": [
                { "type": "integer", "minimum": 1, "maximum": Self::MOST_PER_SECOND },
                { "type": "string", "pattern": "^(100|[1-9][0-9]?)%$" },
            ],
        })
    }
}

/// A rate as it stands in a profile.
struct Written;

impl Visitor<'_> for Written {
    type Value = Rate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = Rate::MOST_PER_SECOND;
        write!(f, "1 to {most} a second, or a share of what the server can do from \"1%\" to \"100%\"")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Rate, E> {
        Rate::per_second(value).ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Rate, E> {
        let rate = u64::try_from(value).ok().and_then(Rate::per_second);
        rate.ok_or_else(|| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Rate, E> {
        Rate::share(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_or_a_share_and_reads_as_it_was_written() {
        for (text, shown) in [("20", "20/s"), ("\"80%\"", "at 80 % of capacity")] {
            let rate: Rate = serde_json::from_str(text).expect("a rate");
            assert_eq!(serde_json::to_string(&rate).expect("JSON"), text);
            assert_eq!(rate.to_string(), shown);
        }
        for wrong in ["0", "-1", "10000001", "\"0%\"", "\"101%\"", "\"80\"", "\"many%\"", "1.5"] {
            let error = serde_json::from_str::<Rate>(wrong).expect_err(wrong).to_string();
            assert!(error.contains("a share of what the server can do"), "{error}");
        }
    }

    #[test]
    fn a_share_is_rounded_to_whole_messages_and_never_to_none() {
        let share =
            |percent, capacity| Rate::share_of(NonZeroU32::new(percent).expect("some"), capacity).get();
        assert_eq!((share(80, 1000.4), share(50, 3.0), share(1, 1.0)), (800, 2, 1));
    }
}
