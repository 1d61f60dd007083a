use std::env::current_exe;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{self, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::Timespec;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Assignment, CHILD, Part};
use crate::conduct::{Lead, Link, Moments, conduct};
use crate::engine::{Clock, allow_open_files, connections_allowed, nanoseconds};
use crate::tally::Tally;
use crate::{Event, Load, RunError};

/// How much later than it has to a child may report: it has settled, and histograms to write.
const GRACE: Duration = Duration::from_secs(10);

/// Two pipes, of which one end each is open a moment longer.
const FILES_PER_CHILD: u64 = 4;

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
    let needed = FILES_PER_CHILD * parts.len() as u64;
    let allowed = connections_allowed(0);
    if allowed < needed {
        return Err(RunError::Processes { processes: parts.len(), needed, allowed });
    }
    let times = [load.connect_ns(), nanoseconds(load.prepare_s())];
    let member = |part: &Part| {
        let part = part.clone();
        move |link: &Link| {
            let (load, asked) = (Box::new(load.clone()), part.connections as u64);
            let mut child = Child::spawn(&Assignment::Part { load, part, clock })?;
            let mut established = 0;
            match follow(&mut child, link, times, &mut established) {
                Ok(tally) => Ok(tally),
                Err(died) => Ok(loss(asked, established, &died.cause())),
            }
        }
    };
    conduct(parts.iter().map(member).collect(), clock, times, lead, None, emit)
}

fn follow(
    child: &mut Child,
    link: &Link,
    [connect_ns, prepare_ns]: [u64; 2],
    established: &mut u64,
) -> Result<Tally, Died> {
    *established = child.report(Some(connect_ns))?;
    let goes_on = link.opened(*established);
    child.order(&goes_on)?;
    let mut schedule = None;
    if goes_on {
        child.report::<()>(Some(prepare_ns))?;
        schedule = link.prepared();
        child.order(&schedule)?;
    }
    child.report(Some(schedule.map_or(0, |schedule| schedule.give_up_ns - schedule.start_ns)))
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

    /// Waits for its next report; where it takes no more than `within_ns`, no longer than that and a grace.
    ///
    /// # Errors
    /// The child has died, or is silent, and is killed.
    pub(crate) fn report<T: DeserializeOwned>(&mut self, within_ns: Option<u64>) -> Result<T, Died> {
        let deadline = within_ns.map(|within_ns| Instant::now() + Duration::from_nanos(within_ns) + GRACE);
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            if self.reports.buffer().is_empty() && deadline.is_some_and(|deadline| !self.speaks(deadline)) {
                self.died();
                return Err(Died("it said nothing in time".to_owned()));
            }
            let said = self.reports.fill_buf().unwrap_or_default();
            let length = said.iter().position(|&byte| byte == b'\n').map_or(said.len(), |end| end + 1);
            if length == 0 {
                return Err(self.died());
            }
            line.extend_from_slice(&said[..length]);
            self.reports.consume(length);
        }
        serde_json::from_slice(&line).map_err(|error| Died(format!("its report: {error}")))
    }

    /// Waits until it has said something, or ended.
    fn speaks(&self, deadline: Instant) -> bool {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap_or_default();
            match poll(&mut [PollFd::new(self.reports.get_ref(), PollFlags::IN)], Some(&left)) {
                Err(Errno::INTR) => {}
                ready => return ready.is_ok_and(|ready| ready > 0),
            }
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
