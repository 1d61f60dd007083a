//! The tables, each from its records.

mod changes;
mod delays;
mod record;
mod stalls;
mod tools;
mod verdict;

pub(crate) use changes::{CONTENDER, FIGURE, changes};
pub(crate) use delays::delays;
pub(crate) use stalls::stalls;
pub(crate) use tools::{told, tools};
