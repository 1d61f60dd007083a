//! The native load generator, and the record of what it measures.
//!
//! It prints one [`Event`] a line on standard output: the phases as they begin, so that whoever started it
//! can take its own readings at the same moments, and at the end one [`Measurement`].
//!
//! [`run`] starts event loops (`engine`), each a thread that drives its share of the connections with a
//! workload (`echo`, `broadcast`). Each loop keeps a `tally`; these are added up at the end.

mod broadcast;
mod echo;
mod engine;
mod http;
mod load;
mod loss;
mod payload;
mod record;
mod run;
mod tally;
mod websocket;

pub use load::{Arrivals, Kind, Load, Timing, Workload};
pub use record::{Connections, Delivery, Distribution, Event, Measurement, Phase};
pub use run::{RunError, run};
