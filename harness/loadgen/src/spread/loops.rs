use super::Part;
use crate::engine::{allow_open_files, connections_allowed, may_own_open_files};
use crate::load::MAX_THREADS;
use crate::{Load, RunError};

/// The event loops that drive a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loops {
    pub(crate) count: usize,
    /// Has each a table of open files of its own?
    pub(crate) own_files: bool,
}

impl Loops {
    /// As many as threads are asked for. A broadcast that has more connections than a process may have files has
    /// as many as hold them, each with a table of open files of its own: one process, so that its publishers, in
    /// closed loop too, see all of its subscribers.
    ///
    /// # Errors
    /// The connections do not fit under the limit of open files: [`RunError::OpenFiles`].
    pub(crate) fn of(load: &Load, part: &Part) -> Result<Self, RunError> {
        let count = load.threads.get().min(part.connections);
        let fits = allow_open_files(part.connections as u64, count as u64);
        let Some(fan_out) = load.workload.fan_out() else {
            return fits.map(|()| Self { count, own_files: false });
        };
        let holds = |&loops: &usize| {
            let most = fan_out.subscribers.div_ceil(loops) + fan_out.publishers.div_ceil(loops);
            most as u64 <= connections_allowed(loops as u64)
        };
        fits.map(|()| Self { count, own_files: false }).or_else(|error| {
            let count = (count..=MAX_THREADS).find(holds).filter(|_| may_own_open_files());
            count.map(|count| Self { count, own_files: true }).ok_or(error)
        })
    }
}
