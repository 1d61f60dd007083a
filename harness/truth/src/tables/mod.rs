//! The tables, each from its records.

mod delays;
mod record;
mod stalls;
mod verdict;

pub(crate) use delays::delays;
pub(crate) use stalls::stalls;
