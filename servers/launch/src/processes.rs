use std::env;
use std::io::{self, Error};
use std::net::SocketAddr;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, WaitOptions, getpid, getppid, set_parent_process_death_signal, wait};

/// Tells a process that it is one of several, and by which other it was started.
const STARTED_BY: &str = "CONTENDER_STARTED_BY";

/// Is this process one of several, started by [`lead`]? Then it ends with the one that started it.
///
/// # Errors
/// The system cannot arrange that, or the other has ended already.
pub(crate) fn is_one_of_several() -> io::Result<bool> {
    let Ok(leader) = env::var(STARTED_BY) else { return Ok(false) };
    set_parent_process_death_signal(Some(Signal::TERM))?;
    // It may have ended before the line above.
    if getppid().is_none_or(|parent| parent.as_raw_pid().to_string() != leader) {
        return Err(Error::other(format!("the process {leader}, which started this one, has ended")));
    }
    Ok(true)
}

/// Starts this program so many times more, with the same flags and environment, and waits. What it returns is
/// why that has ended; those that still serve then end with this process.
pub(crate) fn lead(count: usize, address: SocketAddr) -> Error {
    if address.port() == 0 {
        return Error::other(format!("PROCESSES={count} share a port, so PORT has to name one"));
    }
    // Kept until one has ended.
    let mut processes = Vec::new();
    for _ in 0..count {
        match start() {
            Ok(process) => processes.push(process),
            Err(error) => return Error::new(error.kind(), format!("a process cannot be started: {error}")),
        }
    }
    match wait(WaitOptions::empty()) {
        Ok(Some((process, status))) => {
            let process = Pid::as_raw(Some(process));
            Error::other(format!("process {process}, one of {count}, has ended: {status:?}"))
        }
        Ok(None) => Error::other("no process is left"),
        Err(error) => error.into(),
    }
}

fn start() -> io::Result<Child> {
    Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(STARTED_BY, getpid().as_raw_pid().to_string())
        .spawn()
}
