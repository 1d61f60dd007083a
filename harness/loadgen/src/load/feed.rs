use std::fmt;
use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Clients that fetch the feed again and again, each with one fetch outstanding.
#[derive(Debug, Clone, PartialEq, Args, JsonSchema, Serialize, Deserialize)]
pub struct FeedPlan {
    /// Clients.
    #[arg(long, default_value = "16")]
    pub clients: NonZeroUsize,
    /// What brings the items.
    #[arg(long, default_value = "xhr")]
    pub transport: FeedTransport,
}

/// What brings the items of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedTransport {
    /// `GET /feed` on keep-alive connections: all items in one array.
    Xhr,
    /// `GET /feed/sse`, likewise: each item is an event.
    Sse,
    /// `WS /feed/ws`, each time on a connection of its own, which the server closes after the last item: each is a message.
    Websocket,
}

impl fmt::Display for FeedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
