//! Child processes that cannot outlive the harness, however it ends.
#![allow(unsafe_code, reason = "the one hook between fork and exec, which std marks unsafe")]

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, set_parent_process_death_signal};
use rustix::thread::sched_setaffinity;

use super::CoreSet;

/// Variables that would change what is built or measured behind the harness's back.
const FOREIGN: [&str; 11] = [
    "CARGO_BUILD_TARGET",
    "PUBLICATION_BYTES",
    "ECHO_BYTES",
    "REPLAY_WINDOW",
    "PROCESSES",
    "POLL_BYTES",
    "POLL_WAIT_MS",
    "RETRY_MS",
    "HEARTBEAT_MS",
    "TCP_KEEPALIVE_S",
    "TCP_USER_TIMEOUT_MS",
];

/// A process in a group of its own, pinned to its cores. Dropped, the whole group is killed.
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
    group: Pid,
}

impl Child {
    /// Starts `command` (its first word the program) in `folder` with its output in `log`.
    ///
    /// Must be called from a thread that lives as long as the child should: the kernel kills the child
    /// when that thread ends (`PR_SET_PDEATHSIG`, prctl(2)).
    ///
    /// # Errors
    /// The program cannot be executed.
    pub fn spawn<V: AsRef<OsStr>>(
        command: &[String],
        folder: &Path,
        environment: &[(&str, V)],
        cores: &CoreSet,
        log: File,
    ) -> io::Result<Self> {
        let stdout = log.try_clone()?;
        Self::start(command, folder, environment, cores, stdout.into(), log.into())
    }

    /// The same with standard output to be read here; what it says on standard error goes to `log`.
    ///
    /// # Errors
    /// The program cannot be executed.
    pub fn spawn_read(
        command: &[String],
        folder: &Path,
        cores: &CoreSet,
        log: File,
    ) -> io::Result<(Self, ChildStdout)> {
        let none: [(&str, &str); 0] = [];
        let mut child = Self::start(command, folder, &none, cores, Stdio::piped(), log.into())?;
        let stdout = child.child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        Ok((child, stdout))
    }

    fn start<V: AsRef<OsStr>>(
        command: &[String],
        folder: &Path,
        environment: &[(&str, V)],
        cores: &CoreSet,
        stdout: Stdio,
        stderr: Stdio,
    ) -> io::Result<Self> {
        let (program, arguments) =
            command.split_first().ok_or_else(|| io::Error::other("an empty command"))?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).process_group(0);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        let cores = cores.to_cpu_set();
        // SAFETY: between fork and exec only async-signal-safe calls are allowed: these are two plain
        // system calls on copied values, which neither allocate nor lock.
        unsafe {
            command.pre_exec(move || {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                sched_setaffinity(None, &cores)?;
                Ok(())
            });
        }
        let child = command.spawn()?;
        let group = Pid::from_child(&child);
        Ok(Self { child, group })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Waits at most `time` for its end.
    pub fn wait_for(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            // An error means that there is nothing to wait for; the next look finds the status or none.
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            sleep(left.min(Duration::from_millis(5)));
        }
    }

    /// SIGTERM to its group, then SIGKILL after `grace`. Did it end by itself in that time?
    pub fn terminate(&mut self, grace: Duration) -> bool {
        let _ = kill_process_group(self.group, Signal::TERM);
        let obeyed = self.wait_for(grace).is_some();
        self.kill();
        obeyed
    }

    /// SIGKILL to its group, and reaps it.
    fn kill(&mut self) {
        // Also when the child itself has ended: others of its group may live. No group left is no error to us.
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}
