use std::num::NonZeroUsize;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::engine::connections_allowed;
use crate::{Load, RunError, Workload};

/// More than any machine's memory has connections for.
pub(crate) const MAX_PROCESSES: usize = 1024;

/// The connections of a load that one process holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Number of its first connection among all.
    pub(crate) first: usize,
    /// How many they are.
    pub(crate) connections: usize,
    /// How many processes hold the load's connections together.
    pub(crate) processes: usize,
}

impl Part {
    /// The numbers of its connections among all.
    pub(crate) fn numbers(&self) -> Range<usize> {
        self.first..self.first + self.connections
    }
}

/// The parts of a load: one, if a process may hold all of it, and as many as are asked for, if any are.
///
/// # Errors
/// Several processes are asked for, and the load cannot be divided.
pub(crate) fn parts(load: &Load) -> Result<Vec<Part>, RunError> {
    let connections = load.workload.connections();
    let asked = load.connecting.processes.map(NonZeroUsize::get);
    let processes = match load.workload {
        Workload::Echo { .. } | Workload::Xhr { .. } | Workload::Feed(_) | Workload::Countdown { .. } => {
            let allowed =
                usize::try_from(connections_allowed(load.threads.get() as u64)).unwrap_or(usize::MAX);
            let needed = connections.div_ceil(allowed.max(1)).min(MAX_PROCESSES);
            asked.unwrap_or(needed).min(connections)
        }
        _ if asked.is_some_and(|asked| asked > 1) => {
            return Err(RunError::BadLoad(
                "--processes: a broadcast is of one process, since its publishers wait for all of its subscribers; it \
                 starts as many threads as hold them. So is connect, whose connections take turns with the local ports"
                    .to_owned(),
            ));
        }
        _ => 1,
    };
    Ok(divide(connections, processes))
}

/// Parts of equal size, but for one connection.
fn divide(connections: usize, processes: usize) -> Vec<Part> {
    let starts =
        (0..=processes).map(|part| (connections as u128 * part as u128 / processes as u128) as usize);
    let starts = starts.collect::<Vec<_>>();
    let part = |ends: &[usize]| Part { first: ends[0], connections: ends[1] - ends[0], processes };
    starts.windows(2).map(part).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_follow_one_another_and_differ_by_one(connections in 1usize..2_000_000, processes in 1usize..1000) {
            let processes = processes.min(connections);
            let parts = divide(connections, processes);
            prop_assert_eq!(parts.len(), processes);
            let mut next = 0;
            for part in &parts {
                prop_assert_eq!(part.first, next);
                prop_assert!((connections / processes..=connections.div_ceil(processes)).contains(&part.connections));
                next = part.numbers().end;
            }
            prop_assert_eq!(next, connections);
        }
    }
}
