//! One measurement, from boot to verdict.

mod bench;
mod bracket;
mod calibration;
mod doubt;
mod driver;
mod failure;
mod meter;
mod search;
mod series;
mod steady;

pub use bench::{Bench, Measure};
pub use calibration::Calibration;
pub use doubt::{Doubt, disturbances, doubts};
pub use failure::{Failed, Failure};
pub use search::{Search, SearchEnd, SearchStep, Verdict};
pub use series::{Watch, take};
pub use steady::Unsteady;
