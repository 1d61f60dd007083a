//! The rows of the feed: a message is a feed as a whole.

use super::figures::{
    Figure, MIB, MS, cost, figure, latency, ms, rate, server_us_per_message, tool_cores_busy,
    tool_us_per_message,
};

pub(super) const FEEDS: &[Figure] =
    &[figure("Feeds", |m| Some(m.measurement.messages as f64)), rate("Feeds/s", |m| Some(m.rate()))];

pub(super) const FEED_LATENCY: &[Figure] = &[
    cost("First item median (ms)", |m| ms(m.measurement.first_item.as_ref(), 0.5)),
    cost("First item p99 (ms)", |m| ms(m.measurement.first_item.as_ref(), 0.99)),
    figure("Last item min (ms)", |m| Some(latency(m).min_ns()? as f64 / MS)),
    cost("Last item median (ms)", |m| ms(Some(latency(m)), 0.5)),
    cost("Last item p99 (ms)", |m| ms(Some(latency(m)), 0.99)),
    figure("Last item max (ms)", |m| Some(latency(m).max_ns()? as f64 / MS)),
];

pub(super) const FEED_CPU: &[Figure] = &[
    cost("Server CPU (µs/feed)", server_us_per_message),
    figure("Server CPU (% of one core)", |m| Some(m.server.cores_busy() * 100.0)),
    cost("Server memory (MiB)", |m| Some(m.server.resident_bytes as f64 / MIB)),
    figure("Load generator CPU (µs/feed)", tool_us_per_message),
    figure("Load generator CPU (% of one core)", |m| Some(tool_cores_busy(m) * 100.0)),
];
