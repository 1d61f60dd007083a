//! One measurement, from boot to verdict.

mod bench;
mod bracket;
mod calibration;
mod doubt;
mod driver;
mod failure;
mod judge;
mod meter;
mod outside;
#[cfg(test)]
mod sample;
mod search;
mod series;
mod steady;

pub use bench::{Bench, Measure};
pub use calibration::Calibration;
pub use doubt::{Doubt, Noisy};
pub use failure::{Failed, Failure};
pub use judge::{disturbances, doubts};
pub use search::{Search, SearchEnd, SearchStep, Verdict};
pub use series::{Watch, take};
pub use steady::Unsteady;
