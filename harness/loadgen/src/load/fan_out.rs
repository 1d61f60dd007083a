use std::num::NonZeroUsize;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arrivals, Subscription, Workload, is_default};

/// A chat: a broadcast in which everyone subscribes, and everyone publishes in turn.
#[derive(Debug, Clone, PartialEq, Args, JsonSchema, Serialize, Deserialize)]
pub struct ChatPlan {
    /// Clients.
    #[arg(long, default_value = "100")]
    pub clients: NonZeroUsize,
    /// What clients subscribe by. Those by WebSocket publish on their sockets, others by `POST /publish` on a second
    /// connection each.
    #[arg(long, default_value = "websocket")]
    #[serde(default, skip_serializing_if = "is_default")]
    pub transport: Subscription,
    /// Length of each publication's data, in bytes: at least the 32 that say what and when it was.
    #[arg(long, default_value_t = 128)]
    pub payload_bytes: usize,
    /// How publications are timed.
    #[command(flatten)]
    pub arrivals: Arrivals,
}

/// What a broadcast and a chat have in common, which is all but who publishes how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FanOut {
    pub(crate) subscribers: usize,
    pub(crate) publishers: usize,
    pub(crate) subscription: Subscription,
    pub(crate) payload_bytes: usize,
    pub(crate) arrivals: Arrivals,
    /// Are the publishers the subscribers? Those by WebSocket then publish on their own connections.
    pub(crate) is_chat: bool,
}

impl Workload {
    /// `None`: it is neither a broadcast nor a chat.
    pub(crate) fn fan_out(&self) -> Option<FanOut> {
        match *self {
            Self::Broadcast { subscribers, publishers, transport, payload_bytes, arrivals } => Some(FanOut {
                subscribers: subscribers.get(),
                publishers: publishers.get(),
                subscription: transport,
                payload_bytes,
                arrivals,
                is_chat: false,
            }),
            Self::Chat(ChatPlan { clients, transport, payload_bytes, arrivals }) => Some(FanOut {
                subscribers: clients.get(),
                publishers: clients.get(),
                subscription: transport,
                payload_bytes,
                arrivals,
                is_chat: true,
            }),
            _ => None,
        }
    }

    /// Does each message reach all subscribers, so that what arrives are deliveries?
    #[must_use]
    pub fn is_fan_out(&self) -> bool {
        self.fan_out().is_some()
    }
}

impl FanOut {
    /// How many connections it takes.
    pub(crate) fn connections(&self) -> usize {
        let posts = |number: &usize| !self.publishes_on_its_socket(*number);
        self.subscribers.saturating_add((0..self.publishers).filter(posts).count())
    }

    /// Does the publisher with this number need no connection but the one it subscribes on?
    pub(crate) fn publishes_on_its_socket(&self, number: usize) -> bool {
        self.is_chat && self.subscription.of(number) == Subscription::Websocket
    }
}
