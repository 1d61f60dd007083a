//! Load generators: processes of their own, driven line by line. Ours announces its phases and checks every reply; each of the
//! others is a [`Tool`], whose output is read into one [`ToolReport`].

mod artillery;
mod fault;
#[cfg(test)]
mod fixtures;
mod found;
mod hey;
mod loadgen;
mod oha;
mod outside;
mod report;
mod session;
mod sources;
mod wrk;

pub use artillery::{Artillery, REPORT_END};
pub use fault::Fault;
pub use found::{Found, find_tools};
pub use hey::Hey;
pub use loadgen::{NAME, PATIENCE, command, timing, workload};
pub use oha::Oha;
pub use outside::{OUTSIDE, Question, Tool, outside};
pub use report::{Latency, Read, ToolReport};
pub use session::{Session, Step};
pub use sources::sources;
pub use wrk::Wrk;
