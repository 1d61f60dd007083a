use std::sync::LazyLock;

use crate::Check;
use crate::client::calls::{COUNTDOWN, FEED, FEED_SSE, FEED_WS, POLL, SSE};

mod broadcast;
mod countdown;
mod echo;
mod feed;
mod handshake;
mod http;
mod poll;
mod publish;
mod refusals;
mod replay;
mod robustness;
mod sse;
mod subscribers;
mod transports;
mod vanished;

/// Checks with the paths that must be served for them to mean anything, in the order in which they run: from the simple
/// to what builds on it.
pub(crate) const GROUPS: &[(&[&str], &[Check])] = &[
    (&[], http::CHECKS),
    (&[], handshake::CHECKS),
    (&[], echo::CHECKS),
    (&[COUNTDOWN], countdown::CHECKS),
    (&[], publish::CHECKS),
    (&[], broadcast::CHECKS),
    (&[], subscribers::CHECKS),
    (&[], replay::CHECKS),
    (&[SSE], sse::CHECKS),
    (&[POLL], poll::CHECKS),
    (&[SSE, POLL], transports::CHECKS),
    (&[FEED, FEED_SSE, FEED_WS], feed::CHECKS),
    (&[], refusals::CHECKS),
    (&[COUNTDOWN, SSE, POLL], vanished::CHECKS),
    (&[], robustness::CHECKS),
];

/// The paths that a contender's manifest may say it does not serve; every contender serves the others.
pub const PATHS: &[&str] = &[COUNTDOWN, SSE, POLL, FEED, FEED_SSE, FEED_WS];

/// All checks, in the order in which they run.
#[must_use]
pub fn checks() -> &'static [Check] {
    static CHECKS: LazyLock<Vec<Check>> =
        LazyLock::new(|| GROUPS.iter().flat_map(|(_, group)| *group).copied().collect());
    &CHECKS
}

/// Letters and digits, the same for the same seed: text that JSON need not escape.
pub(crate) fn text(seed: u64, bytes: usize) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..bytes).map(|_| random.alphanumeric()).collect()
}

/// Bytes of all values, the same for the same seed.
fn binary(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut binary = vec![0; bytes];
    random.fill(&mut binary);
    binary
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::checks;

    #[test]
    fn names_are_unique_and_kebab_case() {
        let names: HashSet<_> = checks().iter().map(|check| check.name).collect();
        assert_eq!(names.len(), checks().len());
        for name in names {
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
        }
    }

    #[test]
    fn every_check_says_who_demands_it() {
        for check in checks() {
            let known = ["contract, ", "RFC 6455, ", "RFC 9110, ", "RFC 9112, ", "HTML standard, "];
            assert!(known.iter().any(|standard| check.standard.starts_with(standard)), "{}", check.name);
        }
    }
}
