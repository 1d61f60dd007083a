use std::io;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::RunError;

/// Files that are open beside the connections, for each loop (epoll, eventfd and perhaps a ring) and for the process.
const FILES_PER_LOOP: u64 = 3;
const FILES_OF_THE_PROCESS: u64 = 16;

/// Raises the soft limit of open files to the hard one: how many connections a table of open files may then
/// hold, in a process with so many loops.
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

/// Gives the calling thread a table of open files of its own: a copy, in which all that is open keeps its number.
///
/// RLIMIT_NOFILE, though getrlimit(2) says "process", holds for a table (`alloc_fd` in fs/file.c): so each thread
/// may have as many connections as a process. What it opens from now on is its own to close: in
/// another thread the number is another file. What was open is closed only when both have closed it.
///
/// # Errors
/// The system refuses it. The table is shared as before.
pub(crate) fn own_open_files() -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_FILES)?)
}

/// May a thread have such a table? The seccomp profiles of some containers refuse it.
pub(crate) fn may_own_open_files() -> bool {
    thread::spawn(own_open_files).join().is_ok_and(|owned| owned.is_ok())
}

fn open_files_allowed() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // A failure leaves the soft limit, which is read again.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
