//! One measurement, from boot to verdict.

mod bench;
mod doubt;
mod failure;
mod meter;
mod series;

pub use bench::{Bench, Measure};
pub use doubt::{Doubt, disturbances, doubts};
pub use failure::{Failed, Failure};
pub use series::{Watch, take};
