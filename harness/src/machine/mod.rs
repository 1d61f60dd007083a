//! This machine: cores, processes, ports, and what is recorded of it.

mod callgrind;
mod child;
mod core_time;
mod cores;
mod environment;
mod group;
mod log;
mod memory;
mod open_files;
pub mod port;
mod probe;
mod socket_buffers;
mod usage;

pub use callgrind::{instructions, under_callgrind, valgrind_version};
pub use child::Child;
pub use core_time::{CoreShares, CoreTime, CoreUse};
pub use cores::{CoreSet, Cores};
pub use environment::Environment;
pub use group::processes_of_group;
pub use log::log_tail;
pub use memory::{Memory, MemoryCourse};
pub use open_files::{OTHER_FILES, connections_allowed, raise_open_files};
pub use probe::Probe;
pub use usage::{Spent, Switches, Usage};
