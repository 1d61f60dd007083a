use rustix::process::{Resource, getrlimit, setrlimit};

use crate::RunError;

/// Files that are open beside the connections, for each loop (epoll and eventfd) and for the process.
const FILES_PER_LOOP: u64 = 2;
const FILES_OF_THE_PROCESS: u64 = 16;

/// Raises the soft limit of open files to the hard one: how many connections a process with so many loops
/// may then hold.
pub(crate) fn connections_allowed(loops: u64) -> u64 {
    open_files_allowed().saturating_sub(loops * FILES_PER_LOOP + FILES_OF_THE_PROCESS)
}

/// Checks that the connections fit under the limit of open files.
///
/// # Errors
/// They do not: [`RunError::OpenFiles`].
pub(crate) fn allow_open_files(connections: u64, loops: u64) -> Result<(), RunError> {
    let needed = connections.saturating_add(loops * FILES_PER_LOOP + FILES_OF_THE_PROCESS);
    match open_files_allowed() {
        allowed if allowed < needed => Err(RunError::OpenFiles { connections, needed, allowed }),
        _ => Ok(()),
    }
}

fn open_files_allowed() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // A failure leaves the soft limit, which is read again.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
