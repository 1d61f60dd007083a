use std::env::current_exe;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{self, ChildStdin, ChildStdout, Command, Stdio};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Assignment, CHILD, Part};
use crate::conduct::{Lead, Link, Moments, conduct};
use crate::engine::{Clock, allow_open_files, nanoseconds};
use crate::tally::Tally;
use crate::{Event, Load, RunError};

/// Drives a load with one child process for each of these parts.
pub(crate) fn drive(
    load: &Load,
    parts: &[Part],
    clock: Clock,
    lead: &mut impl Lead,
    emit: impl FnMut(Event),
) -> Result<(Tally, Moments), RunError> {
    let largest = parts.iter().map(|part| part.connections).max().unwrap_or(0);
    allow_open_files(largest as u64, load.threads.get() as u64)?;
    let member = |part: &Part| {
        let part = part.clone();
        move |link: &Link| {
            let (load, asked) = (Box::new(load.clone()), part.connections as u64);
            let mut child = Child::spawn(&Assignment::Part { load, part, clock })?;
            let mut established = 0;
            match follow(&mut child, link, &mut established) {
                Ok(tally) => Ok(tally),
                Err(died) => Ok(loss(asked, established, &died.cause())),
            }
        }
    };
    let times = [load.connect_ns(), nanoseconds(load.prepare_s())];
    conduct(parts.iter().map(member).collect(), clock, times, lead, None, emit)
}

fn follow(child: &mut Child, link: &Link, established: &mut u64) -> Result<Tally, Died> {
    *established = child.report()?;
    let goes_on = link.opened(*established);
    child.order(&goes_on)?;
    if goes_on {
        child.report::<()>()?;
        child.order(&link.prepared())?;
    }
    child.report()
}

/// All that is known of the connections of a child that died: how many they were. What they did is lost.
fn loss(asked: u64, established: u64, cause: &str) -> Tally {
    let mut tally = Tally::default();
    tally.connections.asked = asked;
    tally.connections.established = established;
    tally.connections.lost = established;
    if asked > established {
        tally.connections.failed.insert(cause.to_owned(), asked - established);
    }
    tally.error(cause, established);
    tally
}

/// A child process. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Child {
    process: process::Child,
    orders: ChildStdin,
    reports: BufReader<ChildStdout>,
}

/// The child has ended, and how.
#[derive(Debug)]
pub(crate) struct Died(String);

impl Died {
    /// The cause under which its connections are counted.
    pub(crate) fn cause(&self) -> String {
        format!("a process of the generator died: {}", self.0)
    }
}

impl Child {
    /// Starts a child with this assignment.
    ///
    /// # Errors
    /// No process or no pipe can be had.
    pub(crate) fn spawn(assignment: &Assignment) -> io::Result<Self> {
        let mut process = Command::new(current_exe()?)
            .arg(CHILD)
            // Without it glibc keeps a large block that was freed, and later ones of its size, in its heap, where
            // even the zeroes of a histogram are memory in use (mallopt(3), M_MMAP_THRESHOLD).
            .env("MALLOC_MMAP_THRESHOLD_", "131072")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(orders), Some(reports)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("a child process without pipes"));
        };
        let mut child = Self { process, orders, reports: BufReader::new(reports) };
        // One that has died already says so when it is asked for its first report.
        let _ = child.order(assignment);
        Ok(child)
    }

    /// Gives an order.
    ///
    /// # Errors
    /// The child has died.
    pub(crate) fn order<T: Serialize>(&mut self, order: &T) -> Result<(), Died> {
        let line = serde_json::to_string(order).map_err(|error| Died(error.to_string()))?;
        self.orders.write_all(format!("{line}\n").as_bytes()).map_err(|_| self.died())
    }

    /// Waits for its next report.
    ///
    /// # Errors
    /// The child has died.
    pub(crate) fn report<T: DeserializeOwned>(&mut self) -> Result<T, Died> {
        let mut line = String::new();
        match self.reports.read_line(&mut line) {
            Ok(_) if line.ends_with('\n') => {
                serde_json::from_str(&line).map_err(|error| Died(format!("its report: {error}")))
            }
            _ => Err(self.died()),
        }
    }

    /// How it ended, now that its pipes have: that is settled by then, and the kill changes it no more.
    fn died(&mut self) -> Died {
        let _ = self.process.kill();
        Died(self.process.wait().map_or_else(|error| error.to_string(), |status| status.to_string()))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
