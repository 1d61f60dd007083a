use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::machine::{Child, CoreSet, log_tail};

/// A tool at work: its standard output comes line by line, its standard error goes to a log.
#[derive(Debug)]
pub struct Session {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
    is_closed: bool,
}

/// What a tool did next.
#[derive(Debug)]
pub enum Step {
    /// It wrote a line.
    Line(String),
    /// Nothing, for the time waited.
    Quiet,
    /// It closed its output, and what it used can still be read.
    Closed,
    /// It ended; `None`: it closed its output and had to be killed.
    Ended(Option<ExitStatus>),
}

impl Session {
    /// Starts the tool.
    ///
    /// # Errors
    /// It cannot be executed, or the log not be written.
    pub fn start(command: &[String], folder: &Path, cores: &CoreSet, log: PathBuf) -> io::Result<Self> {
        let (child, stdout) = Child::spawn_read(command, folder, cores, File::create(&log)?)?;
        let (sender, lines) = channel();
        // Ends with the pipe, which ends with the tool's process group.
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = Vec::new();
            while stdout.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                // Garbage is passed on for the reader of lines to refuse.
                if sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Ok(Self { child, lines, log, is_closed: false })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// What it does next, within `time`.
    pub fn step(&mut self, time: Duration) -> Step {
        match self.lines.recv_timeout(time) {
            Ok(line) => Step::Line(line),
            Err(RecvTimeoutError::Timeout) => Step::Quiet,
            Err(RecvTimeoutError::Disconnected) if !std::mem::replace(&mut self.is_closed, true) => {
                Step::Closed
            }
            Err(RecvTimeoutError::Disconnected) => Step::Ended(self.child.wait_for(Duration::from_secs(2))),
        }
    }

    /// The end of its log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        log_tail(&self.log)
    }
}
