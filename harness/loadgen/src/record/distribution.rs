use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de, ser};

/// A distribution of durations in nanoseconds: an HDR histogram of three significant digits, so that
/// any percentile can be read later and results can be merged. It takes memory as far up as its durations go:
/// 16 KiB at first, 256 KiB with one of an hour. In JSON it is the V2 compressed form of HdrHistogram in
/// base64, which every implementation of it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution(Histogram<u64>);

impl Distribution {
    const MAX_NS: u64 = 3_600_000_000_000;

    /// An empty one, from 1 ns to one hour.
    #[must_use]
    pub fn new() -> Self {
        Self(Histogram::new(3).expect("three digits are valid"))
    }

    /// Adds a duration; one beyond the hour counts as an hour.
    pub fn record_ns(&mut self, duration_ns: u64) {
        self.0.record(duration_ns.min(Self::MAX_NS)).expect("a histogram that resizes takes any value");
    }

    /// Adds a duration so many times.
    pub fn record_many_ns(&mut self, duration_ns: u64, count: u64) {
        let within = duration_ns.min(Self::MAX_NS);
        self.0.record_n(within, count).expect("a histogram that resizes takes any value");
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("a histogram that resizes takes any other");
    }

    /// The histogram itself, of nanoseconds.
    #[must_use]
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }

    /// How many durations were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The duration below or at which `share` (0 to 1) of all lie, in ns; `None` if there are none.
    #[must_use]
    pub fn quantile_ns(&self, share: f64) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(share))
    }

    /// Which share of all, 0 to 1, lasted no longer than this, to three digits of it; `None` if there are none.
    #[must_use]
    pub fn share_until_ns(&self, duration_ns: u64) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.quantile_below(duration_ns))
    }

    /// The smallest, in ns.
    #[must_use]
    pub fn min_ns(&self) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.min())
    }

    /// The largest, in ns.
    #[must_use]
    pub fn max_ns(&self) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.max())
    }

    /// The durations that were recorded, to the histogram's resolution, in ns, each with how often: the smallest first.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value()))
    }

    /// The mean, in ns.
    #[must_use]
    pub fn mean_ns(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.mean())
    }
}

impl Default for Distribution {
    fn default() -> Self {
        Self::new()
    }
}

/// A histogram in JSON: the V2 compressed form of HdrHistogram, in base64.
pub(crate) mod compressed {
    use hdrhistogram::Counter;

    use super::*;

    pub(crate) fn serialize<T: Counter, S: ser::Serializer>(
        histogram: &Histogram<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(histogram, &mut bytes).map_err(ser::Error::custom)?;
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, T: Counter, D: de::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Histogram<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(de::Error::custom)?;
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(de::Error::custom)
    }
}

impl Serialize for Distribution {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        compressed::serialize(&self.0, serializer)
    }
}

impl JsonSchema for Distribution {
    fn schema_name() -> Cow<'static, str> {
        "Distribution".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A distribution of durations in nanoseconds: an HDR histogram of three significant digits in the V2 \
                compressed form of HdrHistogram (a cookie, a length and a zlib stream), in base64.",
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^[A-Za-z0-9+/]+={0,2}$",
        })
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read: Histogram<u64> = compressed::deserialize(deserializer)?;
        // Added to one of our own, so that all distributions can be merged.
        let mut own = Self::new();
        own.0.add(&read).map_err(de::Error::custom)?;
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn of(durations_ns: &[u64]) -> Distribution {
        let mut distribution = Distribution::new();
        durations_ns.iter().for_each(|&duration_ns| distribution.record_ns(duration_ns));
        distribution
    }

    fn any_durations() -> impl Strategy<Value = Vec<u64>> {
        vec(prop_oneof![0u64..1000, 0u64..1 << 30, any::<u64>()], 0..20)
    }

    #[test]
    fn what_is_beyond_the_hour_counts_as_an_hour() {
        let max_ns = of(&[u64::MAX]).max_ns().expect("it has one");
        assert!((max_ns as f64 / Distribution::MAX_NS as f64 - 1.0).abs() < 0.001, "{max_ns}");
    }

    proptest! {
        #[test]
        fn merging_and_reading_back_lose_nothing(one in any_durations(), other in any_durations()) {
            let mut merged = of(&one);
            merged.merge(&of(&other));
            let whole = of(&[one, other].concat());
            prop_assert_eq!(&merged, &whole);
            let json = serde_json::to_string(&whole).expect("JSON");
            prop_assert_eq!(&serde_json::from_str::<Distribution>(&json).expect("a distribution"), &whole);
        }

        #[test]
        fn one_with_bounds_that_were_fixed_reads_as_before(durations in any_durations()) {
            let mut fixed = Histogram::new_with_max(Distribution::MAX_NS, 3).expect("valid bounds");
            durations.iter().for_each(|&duration_ns| fixed.saturating_record(duration_ns));
            let json = serde_json::to_string(&Distribution(fixed)).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Distribution>(&json).expect("a distribution"), of(&durations));
        }
    }
}
