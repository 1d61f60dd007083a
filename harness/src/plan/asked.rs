use std::fmt;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Load, ToolName};

/// A `[[load]]` of a profile: a load, and who is asked it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Asked {
    /// The load.
    #[serde(flatten)]
    pub load: Load,
    /// Only these contenders; all of the run's if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contenders: Vec<String>,
    /// In a profile's file alone: the tools that ask it, a load for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolName>,
}

impl Asked {
    /// A load for each of its tools.
    ///
    /// # Errors
    /// One of them cannot ask it.
    pub(super) fn by_tool(self) -> Result<Vec<Self>, String> {
        let Self { load, contenders, tools } = self;
        if tools.is_empty() {
            return Ok(vec![Self { load, contenders, tools }]);
        }
        if load.tool() != ToolName::default() {
            return Err("tool and tools: expected one of them".to_owned());
        }
        let asked =
            |tool| Ok(Self { load: load.by(tool)?, contenders: contenders.clone(), tools: Vec::new() });
        tools.into_iter().map(asked).collect()
    }
}

impl Deref for Asked {
    type Target = Load;

    fn deref(&self) -> &Load {
        &self.load
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load.fmt(f)
    }
}

impl From<Load> for Asked {
    fn from(load: Load) -> Self {
        Self { load, contenders: Vec::new(), tools: Vec::new() }
    }
}
