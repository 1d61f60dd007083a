use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// <https://github.com/hatoo/oha>
    Oha,
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
            Self::Oha => "oha",
            Self::Artillery => "artillery",
        }
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
