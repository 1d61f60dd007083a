//! Pure mathematics on figures of trials.

mod blocks;
mod bootstrap;
mod change;
mod comparison;
mod drift;
mod estimate;
#[cfg(test)]
mod honest;
mod noise;
mod prior;
#[cfg(test)]
mod simulated;
mod states;

pub use blocks::{Design, Fit, Observation};
pub use bootstrap::median_interval;
pub use change::{Change, Pair, Tagged, changes};
pub use comparison::{Comparison, Difference, normal};
pub use drift::{Drift, drift};
pub use estimate::{Estimate, Seen, estimates, median};
pub use states::is_other_state;
