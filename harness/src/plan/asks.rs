//! What a load asks of a server, a tool and a table.

use std::num::NonZeroUsize;

use super::{CannotDrive, FeedTransport, Load, Rate, Subscription, ToolName, Transport};

impl Load {
    /// Names of the workloads, as `--workloads` takes them.
    pub const WORKLOADS: [&str; 10] = [
        "echo",
        "broadcast",
        "chat",
        "feed",
        "xhr",
        "countdown",
        "connect",
        "capacity",
        "echo-limit",
        "broadcast-limit",
    ];
    /// What a contender can serve: a workload that is no search for a limit, or a way to subscribe. `capacity` promises
    /// `PROCESSES`.
    pub const SERVICES: [&str; 8] =
        ["echo", "broadcast", "sse", "poll", "feed", "xhr", "countdown", "capacity"];

    /// Name of the workload.
    #[must_use]
    pub fn workload(&self) -> &'static str {
        match self {
            Self::Echo { .. } => "echo",
            Self::Broadcast { .. } => "broadcast",
            Self::Chat { .. } => "chat",
            Self::Feed { .. } => "feed",
            Self::Xhr { .. } => "xhr",
            Self::Countdown { .. } => "countdown",
            Self::Connect { .. } => "connect",
            Self::Capacity { .. } => "capacity",
            Self::EchoLimit { .. } => "echo-limit",
            Self::BroadcastLimit { .. } => "broadcast-limit",
        }
    }

    /// What a contender has to serve for it: all of these.
    #[must_use]
    pub fn services(&self) -> Vec<&'static str> {
        match self {
            Self::Broadcast { transport, .. } | Self::Chat { transport, .. } => match transport {
                Subscription::Websocket => vec!["broadcast"],
                Subscription::Sse => vec!["broadcast", "sse"],
                Subscription::LongPoll => vec!["broadcast", "poll"],
                Subscription::Mixed => vec!["broadcast", "sse", "poll"],
            },
            Self::Connect { transport: Transport::Websocket, .. } => vec!["echo"],
            Self::Connect { transport: Transport::Xhr, .. } => vec!["xhr"],
            _ => vec![self.workload().trim_end_matches("-limit")],
        }
    }

    /// How many connections a process of the server has to hold, at the least.
    #[must_use]
    pub fn connections(&self) -> usize {
        match self {
            Self::Echo { connections, .. }
            | Self::Xhr { connections, .. }
            | Self::Feed { clients: connections, .. }
            | Self::Countdown { clients: connections, .. }
            | Self::Connect { connections, .. }
            | Self::EchoLimit { connections, .. } => connections.get(),
            Self::Broadcast { subscribers, publishers, .. } => {
                subscribers.get().saturating_add(publishers.get())
            }
            // Those that publish by POST do so on a second one each.
            Self::Chat { clients, transport, .. } => {
                let each = if *transport == Subscription::Websocket { 1 } else { 2 };
                clients.get().saturating_mul(each)
            }
            // How many these come to is what they find out.
            Self::Capacity { .. } | Self::BroadcastLimit { .. } => 1,
        }
    }

    /// Processes of the server.
    #[must_use]
    pub fn processes(&self) -> NonZeroUsize {
        match self {
            Self::Capacity { processes, .. } => *processes,
            _ => NonZeroUsize::MIN,
        }
    }

    /// Workers of the server, where they are not to be one a core.
    #[must_use]
    pub fn workers(&self) -> Option<NonZeroUsize> {
        match self {
            Self::Xhr { workers, .. } => *workers,
            _ => None,
        }
    }

    /// The load generator.
    #[must_use]
    pub fn tool(&self) -> ToolName {
        match self {
            Self::Echo { tool, .. }
            | Self::Xhr { tool, .. }
            | Self::Countdown { tool, .. }
            | Self::Broadcast { tool, .. } => *tool,
            _ => ToolName::Loadgen,
        }
    }

    /// The same by another load generator.
    ///
    /// # Errors
    /// It cannot drive this workload.
    pub fn by(&self, other: ToolName) -> Result<Self, CannotDrive> {
        let mut load = self.clone();
        match &mut load {
            Self::Echo { tool, .. }
            | Self::Xhr { tool, .. }
            | Self::Countdown { tool, .. }
            | Self::Broadcast { tool, .. } => *tool = other,
            _ if other == ToolName::Loadgen => {}
            _ => return Err(CannotDrive::of(other, self)),
        }
        Ok(load)
    }

    /// Does the load generator spin in its open loop?
    #[must_use]
    pub fn spins(&self) -> bool {
        matches!(self, Self::Echo { spin: true, .. } | Self::Broadcast { spin: true, .. })
    }

    /// The rate of an open loop.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        match self {
            Self::Echo { rate, .. } | Self::Broadcast { rate, .. } | Self::Chat { rate, .. } => *rate,
            Self::BroadcastLimit { rate, .. } => Some(Rate::PerSecond(*rate)),
            Self::Feed { .. }
            | Self::Xhr { .. }
            | Self::Countdown { .. }
            | Self::Connect { .. }
            | Self::Capacity { .. }
            | Self::EchoLimit { .. } => None,
        }
    }

    /// Is each server driven at a rate of its own: a share of what it can do, or the most that it keeps?
    #[must_use]
    pub fn is_at_own_rate(&self) -> bool {
        let is_share = matches!(self.rate(), Some(Rate::Share(_)));
        is_share || matches!(self, Self::EchoLimit { .. } | Self::BroadcastLimit { .. })
    }

    /// How the server is asked, if the load is one of several that differ in that alone.
    #[must_use]
    pub fn transport(&self) -> Option<String> {
        match self {
            Self::Broadcast { transport, .. } | Self::Chat { transport, .. } => Some(transport.to_string()),
            Self::Feed { transport, .. } => Some(transport.to_string()),
            Self::Countdown { transport, .. } | Self::Connect { transport, .. } => {
                Some(transport.to_string())
            }
            _ => None,
        }
    }

    /// The same by WebSocket: one load for all that differ in their transport alone.
    #[must_use]
    pub fn over_websocket(&self) -> Self {
        let mut load = self.clone();
        match &mut load {
            Self::Broadcast { transport, .. } | Self::Chat { transport, .. } => {
                *transport = Subscription::Websocket;
            }
            Self::Feed { transport, .. } => *transport = FeedTransport::Websocket,
            Self::Countdown { transport, .. } | Self::Connect { transport, .. } => {
                *transport = Transport::Websocket;
            }
            _ => {}
        }
        load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_is_listed_and_asks_for_a_service_that_is() {
        let loads = [
            "workload = \"echo\"\nconnections = 1\npayload_bytes = 1",
            "workload = \"broadcast\"\nsubscribers = 1\npayload_bytes = 32",
            "workload = \"chat\"\nclients = 1\ntransport = \"mixed\"\npayload_bytes = 32",
            "workload = \"feed\"\nclients = 1\ntransport = \"xhr\"",
            "workload = \"xhr\"\nconnections = 1",
            "workload = \"countdown\"\nclients = 1\nfrom = 1\ntransport = \"xhr\"",
            "workload = \"connect\"\nconnections = 1\ntransport = \"xhr\"",
            "workload = \"capacity\"\nstep = 1\nmax = 1",
            "workload = \"echo-limit\"\nconnections = 1\npayload_bytes = 1",
            "workload = \"broadcast-limit\"\nrate = 1\npayload_bytes = 32",
        ];
        let loads = loads.map(|text| toml::from_str::<Load>(text).expect(text));
        assert_eq!(loads.each_ref().map(Load::workload), Load::WORKLOADS);
        for load in &loads {
            assert!(load.services().iter().all(|service| Load::SERVICES.contains(service)), "{load}");
            let text = serde_json::to_string(load).expect("JSON");
            assert_eq!(serde_json::from_str::<Load>(&text).expect("a load"), *load);
        }
    }

    #[test]
    fn loads_that_differ_in_their_transport_alone_are_one_by_websocket() {
        let same = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|text| toml::from_str::<Load>(text).expect(text));
            one.transport() != other.transport() && one.over_websocket() == other.over_websocket()
        };
        let countdown = "workload = \"countdown\"\nclients = 4\nfrom = 9\ntransport = \"xhr\"";
        assert!(same(countdown, &countdown.replace("xhr", "websocket")));
        assert!(!same(countdown, &countdown.replace("xhr", "websocket").replace('9', "8")));
        let broadcast = "workload = \"broadcast\"\nsubscribers = 4\npayload_bytes = 64";
        assert!(same(broadcast, &format!("{broadcast}\ntransport = \"sse\"")));
        for job in ["chat\"\nclients = 4\npayload_bytes = 64", "feed\"\nclients = 4"] {
            let by = |transport: &str| format!("workload = \"{job}\ntransport = {transport:?}");
            assert!(same(&by("websocket"), &by("sse")), "{job}");
        }
    }
}
