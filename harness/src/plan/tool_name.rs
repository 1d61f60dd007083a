use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Kind, Load};

/// The program that asks: the load generator of a load.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ToolName {
    /// Our own.
    #[default]
    Loadgen,
    /// <https://github.com/wg/wrk>
    Wrk,
    /// <https://github.com/rakyll/hey>
    Hey,
    /// <https://www.artillery.io>
    Artillery,
}

impl ToolName {
    /// As profiles and tables call it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loadgen => "loadgen",
            Self::Wrk => "wrk",
            Self::Hey => "hey",
            Self::Artillery => "artillery",
        }
    }

    /// Can it ask this?
    ///
    /// # Errors
    /// What it cannot, and what it can.
    pub(super) fn check(self, load: &Load) -> Result<(), String> {
        let only = |can: &str| Err(format!("tool = \"{self}\": it can ask {can} only"));
        match (self, load) {
            (Self::Loadgen, Load::Xhr { requests: Some(requests), .. }) => {
                Err(format!("requests = {requests}: the load generator goes by seconds"))
            }
            (Self::Wrk, Load::Xhr { requests: Some(requests), .. }) => {
                Err(format!("requests = {requests}: wrk goes by seconds"))
            }
            (Self::Hey, Load::Xhr { connections, requests: Some(requests), .. })
                if requests.get() < connections.get() as u64 =>
            {
                Err(format!("requests = {requests}: expected at least as many as connections, {connections}"))
            }
            (Self::Loadgen, _) | (Self::Wrk | Self::Hey, Load::Xhr { .. }) => Ok(()),
            (Self::Artillery, Load::Xhr { requests: None, .. }) => Ok(()),
            (Self::Artillery, Load::Echo { pipeline, kind: Kind::Text, rate: None, .. })
                if pipeline.get() == 1 =>
            {
                Ok(())
            }
            (Self::Wrk | Self::Hey, _) => only("xhr"),
            (Self::Artillery, _) => {
                only("xhr by seconds, and echo of text in closed loop with one message outstanding")
            }
        }
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
