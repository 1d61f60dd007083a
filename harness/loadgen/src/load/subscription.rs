use std::fmt;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the subscribers of a broadcast get its publications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, ValueEnum, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subscription {
    /// On `WS /ws/broadcast`.
    #[default]
    Websocket,
    /// On `GET /sse`.
    Sse,
    /// On `GET /poll`, by keep-alive connections: each answer is followed by the next poll.
    LongPoll,
    /// By turns each of these.
    Mixed,
}

impl Subscription {
    /// That of the subscriber with this number: never [`Mixed`](Self::Mixed).
    pub(crate) fn of(self, number: usize) -> Self {
        match self {
            Self::Mixed => [Self::Websocket, Self::Sse, Self::LongPoll][number % 3],
            one => one,
        }
    }
}

impl fmt::Display for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
