//! The native load generator, and the record of what it measures.
//!
//! It prints one [`Event`] a line on standard output: the phases as they begin, so that whoever started it
//! can take its own readings at the same moments, and at the end one [`Measurement`].
//!
//! [`run`] starts event loops (`engine`), each a thread that drives its share of the connections with a
//! workload (`echo`, `broadcast`, `feed`, `xhr`, `countdown`, `connect`). Each loop keeps a `tally`; these are added up at the end (`conduct`).
//! Where a process may not hold all connections, child processes do (`spread`). How many a server holds is
//! found by adding connections in steps (`capacity`).

mod broadcast;
mod capacity;
mod conduct;
mod connect;
mod countdown;
mod dialogue;
mod echo;
mod engine;
mod feed;
mod http;
mod load;
mod loss;
mod payload;
mod record;
mod run;
mod series;
mod spread;
mod steady;
mod tally;
mod timetable;
mod websocket;
mod wire;
mod wrong;
mod xhr;

pub use capacity::{Capacity, Step, StepMemory, Stop};
pub use load::{
    Arrivals, CapacityPlan, ChatPlan, Connecting, Engine, FeedPlan, FeedTransport, Kind, Load, Process,
    Subscription, Timing, Transport, Workload,
};
pub use record::{Connections, Delivery, Distribution, Event, Measurement, Phase, Second, Warmup};
pub use run::{RunError, run};
pub use spread::{CHILD, serve_parent};
pub use wire::{Flow, Flows, Wire};
pub use wrong::is_wrong_payload;
