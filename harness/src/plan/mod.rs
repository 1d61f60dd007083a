//! From a profile to the trials, in the order in which they are taken.

mod load;
mod profile;
mod schedule;

pub use load::{Kind, Load};
pub use profile::Profile;
pub use schedule::{Slot, schedule};
