//! The contract of `servers/README.md`, as checks with names on real sockets: what `harness verify` runs.
//!
//! The client is small and raw on purpose: it must be able to send what no library lets one send. It
//! shares the framing with the load generator and the ceiling, and no code with any framework.

mod check;
mod checks;
mod client;
mod crowd;
mod hostile;

pub use check::{Check, Failure, Outcome, Report, Target};
pub use checks::{PATHS, checks};
pub use crowd::{Moment, PUBLICATION_BYTES, crowd};
pub use hostile::{Casualty, assault};

use checks::GROUPS;

/// Runs every check that `only` selects, one after another, and calls `on_result` after each.
///
/// The server must be at nobody else's disposal meanwhile: the checks count its subscribers and its
/// publications. It need not be fresh: ids are read from it.
pub fn verify(
    target: &Target,
    only: impl Fn(&Check) -> bool,
    mut on_result: impl FnMut(&Check, &Outcome),
) -> Report {
    let mut results = Vec::new();
    let checks = GROUPS.iter().flat_map(|(needs, group)| group.iter().map(move |check| (needs, check)));
    for (needs, check) in checks.filter(|(_, check)| only(check)) {
        let outcome = match needs.iter().find(|path| !target.serves(path)) {
            Some(path) => Outcome::NotServed(path),
            None => match (check.run)(target) {
                Ok(()) => Outcome::Passed,
                Err(failure) => Outcome::Failed(failure),
            },
        };
        on_result(check, &outcome);
        results.push((check, outcome));
    }
    Report { results }
}
