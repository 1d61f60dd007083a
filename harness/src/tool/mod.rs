//! Load generators: processes of their own, driven line by line.

mod loadgen;
mod session;

pub use loadgen::{NAME, PATIENCE, command};
pub use session::{Session, Step};
