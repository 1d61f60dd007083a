use thiserror::Error;

use super::{Arrivals, Kind, Load, Rate, Subscription, ToolName};

/// A load that a tool has no way to drive: an answer, and no failure of either.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{tool} cannot drive {load}: it can drive {can}")]
pub struct CannotDrive {
    /// The tool.
    pub tool: ToolName,
    /// The load's title, without the tool.
    pub load: String,
    /// What the tool can drive instead.
    pub can: &'static str,
}

impl CannotDrive {
    pub(super) fn of(tool: ToolName, load: &Load) -> Self {
        let load = load.by(ToolName::Loadgen).map_or_else(|cannot| cannot.load, |load| load.to_string());
        Self { tool, load, can: can(tool) }
    }
}

fn can(tool: ToolName) -> &'static str {
    match tool {
        ToolName::Loadgen => "every workload, by seconds",
        ToolName::Wrk => "xhr, by seconds",
        ToolName::Hey | ToolName::Oha => "xhr, by seconds or by at least as many requests as connections",
        ToolName::Artillery => {
            "xhr and countdown, and over WebSocket an echo of text in closed loop with one message outstanding, and a \
             broadcast of one publisher in closed loop or at a constant rate; all by seconds"
        }
    }
}

impl Load {
    /// Can its tool drive it?
    ///
    /// # Errors
    /// What the tool can drive.
    pub fn check_tool(&self) -> Result<(), CannotDrive> {
        let tool = self.tool();
        let can_drive = match (tool, self) {
            (ToolName::Hey | ToolName::Oha, Self::Xhr { requests: Some(requests), connections, .. }) => {
                requests.get() >= connections.get() as u64
            }
            (_, Self::Xhr { requests, .. }) => requests.is_none(),
            (ToolName::Loadgen, _) => true,
            (ToolName::Artillery, Self::Countdown { .. }) => true,
            (ToolName::Artillery, Self::Echo { pipeline, kind, rate, .. }) => {
                pipeline.get() == 1 && *kind == Kind::Text && rate.is_none()
            }
            (ToolName::Artillery, Self::Broadcast { publishers, transport, rate, arrivals, spin, .. }) => {
                let is_steady = !matches!(rate, Some(Rate::Share(_))) && *arrivals == Arrivals::Constant;
                publishers.get() == 1 && *transport == Subscription::Websocket && is_steady && !spin
            }
            _ => false,
        };
        if can_drive { Ok(()) } else { Err(CannotDrive::of(tool, self)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What this load's tool says of it.
    fn answer(load: &str) -> Result<(), CannotDrive> {
        toml::from_str::<Load>(load).expect(load).check_tool()
    }

    #[test]
    fn what_a_tool_can_drive_is_driven() {
        for load in [
            "workload = \"xhr\"\nconnections = 4\ntool = \"wrk\"",
            "workload = \"xhr\"\nconnections = 4\nrequests = 4\ntool = \"hey\"",
            "workload = \"xhr\"\nconnections = 4\nrequests = 4\ntool = \"oha\"",
            "workload = \"echo\"\nconnections = 4\npayload_bytes = 9\ntool = \"artillery\"",
            "workload = \"countdown\"\nclients = 4\nfrom = 9\ntransport = \"xhr\"\ntool = \"artillery\"",
            "workload = \"countdown\"\nclients = 4\nfrom = 9\ntransport = \"websocket\"\ntool = \"artillery\"",
            "workload = \"broadcast\"\nsubscribers = 4\npayload_bytes = 32\nrate = 9\ntool = \"artillery\"",
            "workload = \"broadcast\"\nsubscribers = 4\npayload_bytes = 32\ntool = \"artillery\"",
            "workload = \"feed\"\nclients = 4\ntransport = \"sse\"",
        ] {
            assert_eq!(answer(load), Ok(()), "{load}");
        }
    }

    #[test]
    fn what_it_cannot_is_said_with_what_it_can() {
        let echo = "workload = \"echo\"\nconnections = 4\npayload_bytes = 9\n";
        let broadcast =
            "workload = \"broadcast\"\nsubscribers = 4\npayload_bytes = 32\ntool = \"artillery\"\n";
        let of_requests = "workload = \"xhr\"\nconnections = 4\nrequests = 3\n";
        for (load, expected) in [
            (format!("{echo}tool = \"wrk\""), "wrk cannot drive echo, 4 × 9 B: it can drive xhr"),
            (format!("{echo}tool = \"hey\""), "hey cannot drive echo"),
            (format!("{echo}tool = \"oha\""), "oha cannot drive echo"),
            (format!("{echo}tool = \"artillery\"\nkind = \"binary\""), "artillery cannot drive echo"),
            (format!("{echo}tool = \"artillery\"\npipeline = 2"), "4 × 9 B, 2 outstanding: it can drive"),
            (format!("{broadcast}transport = \"sse\""), "artillery cannot drive broadcast"),
            (format!("{broadcast}publishers = 2"), "artillery cannot drive broadcast"),
            (format!("{broadcast}rate = \"50%\""), "artillery cannot drive broadcast"),
            (of_requests.to_owned(), "loadgen cannot drive xhr, 4 connections, 3 requests"),
            (format!("{of_requests}tool = \"wrk\""), "wrk cannot drive xhr"),
            (format!("{of_requests}tool = \"oha\""), "by at least as many requests as connections"),
            (format!("{of_requests}tool = \"artillery\""), "artillery cannot drive xhr"),
        ] {
            let said = answer(&load).expect_err(&load).to_string();
            assert!(said.contains(expected), "{said}");
        }
        let feed: Load =
            toml::from_str("workload = \"feed\"\nclients = 1\ntransport = \"sse\"").expect("a load");
        let said = feed.by(ToolName::Artillery).expect_err("no scenario").to_string();
        assert!(
            said.starts_with("artillery cannot drive feed, 1 clients, sse: it can drive xhr and"),
            "{said}"
        );
    }
}
