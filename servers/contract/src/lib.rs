//! The contract that every contender serves (its text is `servers/README.md`), as far as it can be
//! written without a socket or a framework: settings, limits, the hub, and the answers.
//!
//! A contender in Rust makes one [`App`], and its handlers translate between its framework and the app.

mod answer;
mod app;
mod hub;
mod refusal;
mod route;
mod settings;

pub use answer::{About, Answer, Countdown, Receipt, Stats};
pub use app::App;
pub use hub::{Hub, Lagged, Subscribers, Subscription, Transport};
pub use refusal::{Close, Ending, FAREWELL, Refusal};
pub use route::{Route, is_handshake_key};
pub use settings::{Limits, Settings};
