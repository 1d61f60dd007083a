use std::fmt;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CannotDrive, Load, ToolName};

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
    /// A load for each of its tools that can drive it, and what those say that cannot.
    ///
    /// # Errors
    /// Both a tool and tools are named.
    pub(super) fn by_tool(self) -> Result<(Vec<Self>, Vec<CannotDrive>), String> {
        let Self { load, contenders, tools } = self;
        if !tools.is_empty() && load.tool() != ToolName::default() {
            return Err("tool and tools: expected one of them".to_owned());
        }
        let mut asked = Vec::new();
        let mut cannot = Vec::new();
        for tool in if tools.is_empty() { vec![load.tool()] } else { tools } {
            match load.by(tool).and_then(|load| load.check_tool().map(|()| load)) {
                Ok(load) => asked.push(Self { load, contenders: contenders.clone(), tools: Vec::new() }),
                Err(answer) => cannot.push(answer),
            }
        }
        Ok((asked, cannot))
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
