//! The contract that every contender serves (its text is `servers/README.md`), as far as it can be
//! written without a socket or a framework: settings, limits, the hub, and the answers.
//!
//! A contender in Rust makes one [`App`], and its handlers translate between its framework and the app.

mod answer;
mod app;
mod countdown;
mod feed;
mod hub;
mod poll;
mod publication;
mod query;
mod refusal;
mod ring;
mod route;
mod settings;
mod subscription;
mod sync;

pub use answer::{About, Answer, Countdown, Receipt, Stats};
pub use app::{App, EVENT_STREAM_HEADERS, EventStream, HEARTBEAT};
pub use feed::Feed;
pub use hub::{Hub, Subscribers};
pub use poll::Poll;
pub use refusal::{Close, Ending, FAREWELL, Refusal};
pub use ring::Lagged;
pub use route::{Route, is_handshake_key};
pub use settings::{Limits, Settings, Timing};
pub use subscription::Subscription;
