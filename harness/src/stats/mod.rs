//! Pure mathematics on figures of trials.

mod estimate;

pub use estimate::Estimate;
