//! More connections than one process may hold: child processes, each with a part of them, or loops whose threads
//! have a table of open files each.
//!
//! A child is this same program. Parent and child speak in lines of JSON: orders on the child's standard
//! input, reports on its standard output. The parent gives all children one schedule, by a clock that is the
//! same in all processes, and adds up what they counted, histograms too. A child whose standard input ends
//! has no parent any more, and ends as well.

mod child;
mod loops;
mod parent;
mod part;

pub(crate) use child::{Assignment, Orders, report};
pub use child::{CHILD, serve_parent};
pub(crate) use loops::Loops;
pub(crate) use parent::{Child, drive};
pub(crate) use part::{MAX_PROCESSES, Part, parts};
