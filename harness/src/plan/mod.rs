//! From a profile to the trials, in the order in which they are taken.

mod asked;
mod asks;
mod cannot;
mod check;
mod load;
mod profile;
mod rate;
mod schedule;
mod title;
mod tool_name;
mod until;

pub use asked::Asked;
pub use cannot::CannotDrive;
pub use load::{Arrivals, Kind, Load};
pub use loadgen::{FeedTransport, Subscription, Transport};
pub use profile::Profile;
pub use rate::Rate;
pub use schedule::{Slot, schedule};
pub use tool_name::ToolName;
pub use until::Until;
