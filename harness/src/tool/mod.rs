//! Load generators: processes of their own, driven line by line.

mod loadgen;
mod session;
mod sources;

pub use loadgen::{NAME, PATIENCE, command, timing, workload};
pub use session::{Session, Step};
pub use sources::sources;
