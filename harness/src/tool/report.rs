use std::collections::BTreeMap;

use loadgen::Distribution;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What another's load generator says of a load: one form for all of them.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ToolReport {
    /// Requests that were answered without an error.
    pub requests: u64,
    /// For how long, in seconds, by the tool's clock.
    pub seconds: f64,
    /// Requests a second as the tool itself says it; tables show `requests` ÷ `seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_per_s: Option<f64>,
    /// What went wrong, by cause.
    pub errors: BTreeMap<String, u64>,
    /// Latency as the tool says it.
    pub latency: Latency,
    /// The least difference of two latencies that its output can show, in µs.
    pub resolution_us: f64,
    /// Latency as it was before the tool changed it (wrk), or by a better clock than the tool's (Artillery).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Latency>,
    /// Which of the tool's known faults played a part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Its output, or the begin of it.
    pub raw: String,
}

/// Points of a distribution of latencies, in µs; none that the tool does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Latency {
    /// The least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_us: Option<f64>,
    /// Mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_us: Option<f64>,
    /// Median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_us: Option<f64>,
    /// 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<f64>,
    /// The largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_us: Option<f64>,
}

impl Latency {
    /// Of a whole distribution; `None` if it is empty.
    #[must_use]
    pub fn of(distribution: &Distribution) -> Option<Self> {
        let us = |ns: u64| ns as f64 / 1e3;
        Some(Self {
            min_us: Some(us(distribution.min_ns()?)),
            mean_us: Some(distribution.mean_ns()? / 1e3),
            median_us: distribution.quantile_ns(0.5).map(us),
            p99_us: distribution.quantile_ns(0.99).map(us),
            max_us: distribution.max_ns().map(us),
        })
    }
}

/// What a tool's output was read as.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The record of it.
    pub report: ToolReport,
    /// Every latency, as it was before the tool changed it; empty if the tool does not tell.
    pub latencies: Distribution,
}

impl From<ToolReport> for Read {
    fn from(report: ToolReport) -> Self {
        Self { report, latencies: Distribution::new() }
    }
}

/// Bytes of output that are kept: what all tools but Artillery write as a summary is less.
const RAW_BYTES: usize = 4096;

/// The begin of a tool's output, for the record.
pub(super) fn raw(output: &str) -> String {
    let mut end = output.len().min(RAW_BYTES);
    while !output.is_char_boundary(end) {
        end -= 1;
    }
    output[..end].trim_end().to_owned()
}
