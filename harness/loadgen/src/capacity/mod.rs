//! How many connections does a server hold? They are added step by step, and after each step a sweep has one
//! message echoed on every one of them.

mod climb;
mod memory;
mod post;
mod record;
mod stop;
mod sweep;

/// The cause under which replies are counted that have not come.
const NO_REPLY: &str = "no reply";

pub(crate) use climb::climb;
pub(crate) use post::{Post, serve};
pub use record::{Capacity, Step, StepMemory, Stop};
