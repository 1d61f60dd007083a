//! What became of a crowd of subscribers of whom some read nothing: as it is kept, and as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::machine::Memory;

/// What a subscriber that reads nothing may cost beyond what it costs idle, in bytes: in the server's memory a framework's buffers; in the
/// kernel, what its sending buffer grows to by default (`net.ipv4.tcp_wmem`, tcp(7)).
pub const BOUND: PerStuck = PerStuck { resident_bytes: 512 << 10, buffer_bytes: 4 << 20 };

/// Bytes a subscriber.
#[derive(Debug, Clone, Copy)]
pub struct PerStuck {
    /// Of the server's memory.
    pub resident_bytes: u64,
    /// Of its sockets' buffers.
    pub buffer_bytes: u64,
}

/// What came of it, by contender.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crowds(pub BTreeMap<String, Crowd>);

/// What came of it with one contender. All stuck subscribers were closed and counted as lagging; each of the others got every
/// publication once and in order: otherwise there is no such record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crowd {
    /// The framework, with its version.
    pub framework: String,
    /// Subscribers.
    pub subscribers: usize,
    /// Those of them that read nothing.
    pub stuck: usize,
    /// `REPLAY_WINDOW`, in publications.
    pub replay_window: usize,
    /// Length of each publication's data, in bytes.
    pub publication_bytes: usize,
    /// What was published until all stuck ones were closed.
    pub publications: u64,
    /// With all subscribed, and nothing published.
    pub idle: Memory,
    /// The most there was of each, at any reading.
    pub most: Memory,
    /// When the stuck ones were closed.
    pub after: Memory,
}

impl Crowd {
    /// What of it is beyond the bound, in words.
    #[must_use]
    pub fn beyond_bound(&self) -> Option<String> {
        let window = (self.replay_window * self.publication_bytes) as u64;
        let grown = |of: fn(&Memory) -> u64| of(&self.most).saturating_sub(of(&self.idle));
        let beyond = |what: &str, grown: u64, most: u64| {
            (grown > most).then(|| format!("{what} grew by {grown} bytes: expected at most {most}"))
        };
        // A publication is kept twice: as a message, and in the block of an event stream.
        let resident = BOUND.resident_bytes * self.stuck as u64 + 4 * window + (64 << 20);
        let buffers = BOUND.buffer_bytes * self.stuck as u64 + (64 << 20);
        beyond("resident memory", grown(|memory| memory.resident_bytes), resident)
            .or_else(|| beyond("socket buffers", grown(|memory| memory.buffer_bytes.unwrap_or(0)), buffers))
    }
}

impl Crowds {
    /// The table.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut page = String::from(
            "| | subscribers | reading nothing | publications until those were closed | resident: idle, most, after (MiB) | \
             socket buffers: idle, most, after (MiB) |\n|---|--:|--:|--:|--:|--:|\n",
        );
        for (name, crowd) in &self.0 {
            let Crowd { framework, subscribers, stuck, publications, .. } = crowd;
            let row = |of: fn(&Memory) -> u64| {
                [&crowd.idle, &crowd.most, &crowd.after]
                    .map(|memory| format!("{:.1}", of(memory) as f64 / f64::from(1 << 20)))
                    .join(", ")
            };
            let resident = row(|memory| memory.resident_bytes);
            let buffers = row(|memory| memory.buffer_bytes.unwrap_or(0));
            let _ = writeln!(
                page,
                "| {name} ({framework}) | {subscribers} | {stuck} | {publications} | {resident} | {buffers} |"
            );
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(most: u64) -> Crowd {
        let memory = |bytes| Memory { resident_bytes: bytes, sockets: Some(100), buffer_bytes: Some(bytes) };
        Crowd {
            framework: "none 0".to_owned(),
            subscribers: 100,
            stuck: 10,
            replay_window: 64,
            publication_bytes: 16_384,
            publications: 200,
            idle: memory(1 << 20),
            most: memory(most),
            after: memory(1 << 20),
        }
    }

    #[test]
    fn what_grows_without_bound_is_told() {
        assert_eq!(crowd(20 << 20).beyond_bound(), None);
        let beyond = crowd(10 << 30).beyond_bound().expect("ten gigabytes are too much");
        assert!(beyond.contains("resident memory grew by"), "{beyond}");
    }

    #[test]
    fn the_table_has_a_row_a_contender() {
        let table = Crowds(BTreeMap::from([("ceiling".to_owned(), crowd(3 << 20))])).markdown();
        assert!(
            table.ends_with("| ceiling (none 0) | 100 | 10 | 200 | 1.0, 3.0, 1.0 | 1.0, 3.0, 1.0 |\n"),
            "{table}"
        );
    }
}
