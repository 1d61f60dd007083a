use std::io::{BufRead, Write, stdin, stdout};
use std::process::exit;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Part;
use crate::capacity::{self, Post};
use crate::conduct::Lead;
use crate::engine::{Clock, Schedule};
use crate::run::drive;
use crate::tally::Tally;
use crate::{Load, RunError};

/// The argument that makes this program a child of another process of it.
pub const CHILD: &str = "serve-parent";

/// The first order: what the child is for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Assignment {
    /// A part of a load.
    Part { load: Box<Load>, part: Part, clock: Clock },
    /// Connections that are added in steps.
    Capacity(Post),
}

/// The life of a child process: does what the parent orders on standard input, and reports on standard output.
///
/// # Errors
/// [`RunError`]: the child is of no use. The parent sees that it has ended.
pub fn serve_parent() -> Result<(), RunError> {
    let orders = Orders::listen();
    match orders.next()? {
        Assignment::Part { load, part, clock } => serve_part(&load, &part, clock, &orders),
        Assignment::Capacity(post) => capacity::serve(&post, &orders),
    }
}

fn serve_part(load: &Load, part: &Part, clock: Clock, orders: &Orders) -> Result<(), RunError> {
    let mut lead = Parent { orders, failed: None };
    let (mut tally, moments) = drive(load, part, clock, &mut lead, None, |_| {})?;
    if let Some(error) = lead.failed {
        return Err(error);
    }
    tally.cpu_us += moments.cpu_us;
    report::<Tally>(&tally)
}

/// Leads this process's part of a load.
struct Parent<'a> {
    orders: &'a Orders,
    /// Why there was no order.
    failed: Option<RunError>,
}

impl Parent<'_> {
    /// Reports, and waits for the order that follows; without one there is nothing to do.
    fn ask<T: DeserializeOwned + Default>(&mut self, reported: &impl Serialize) -> T {
        report(reported).and_then(|()| self.orders.next()).unwrap_or_else(|error| {
            self.failed = Some(error);
            T::default()
        })
    }
}

impl Lead for Parent<'_> {
    fn prepare(&mut self, established: u64) -> bool {
        self.ask(&established)
    }

    fn begin(&mut self) -> Option<Schedule> {
        self.ask(&())
    }
}

/// The lines of standard input. When it ends, so does this process, whatever it is doing: the parent is gone.
#[derive(Debug)]
pub(crate) struct Orders(Receiver<String>);

impl Orders {
    fn listen() -> Self {
        let (sender, orders) = mpsc::channel();
        thread::spawn(move || {
            for line in stdin().lock().lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
            exit(1);
        });
        Self(orders)
    }

    /// Waits for the next order.
    ///
    /// # Errors
    /// It is not one that is understood here.
    pub(crate) fn next<T: DeserializeOwned>(&self) -> Result<T, RunError> {
        let line = self.0.recv().map_err(|_| RunError::Parent("it ended".to_owned()))?;
        serde_json::from_str(&line).map_err(|error| RunError::Parent(error.to_string()))
    }
}

/// Prints a line for the parent.
///
/// # Errors
/// Nobody reads it.
pub(crate) fn report<T: Serialize>(report: &T) -> Result<(), RunError> {
    let line = serde_json::to_string(report).map_err(|error| RunError::Parent(error.to_string()))?;
    let mut stdout = stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}
