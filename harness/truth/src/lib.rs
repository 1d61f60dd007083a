//! Holds the measurements against known truths.
//!
//! `truth-server` is a server whose delays, stalls and CPU time are known: each is drawn from a known distribution, and
//! it keeps a record of what it actually gave ([`Given`]). It is no contender: it keeps as much of the contract as the echo
//! and xhr workloads ask for, and is in no profile. The program `truth` makes the tables of harness/METHOD.md from what was recorded.

mod delay;
mod given;

pub use delay::Delay;
pub use given::Given;
