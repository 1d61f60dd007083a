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
    /// In a profile's file alone: contenders that are asked it beside those of the profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
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
        let Self { load, contenders, also, tools } = self;
        if !tools.is_empty() && load.tool() != ToolName::default() {
            return Err("tool and tools: expected one of them".to_owned());
        }
        let mut asked = Vec::new();
        let mut cannot = Vec::new();
        for tool in if tools.is_empty() { vec![load.tool()] } else { tools } {
            match load.by(tool).and_then(|load| load.check_tool().map(|()| load)) {
                Ok(load) => asked.push(Self {
                    load,
                    contenders: contenders.clone(),
                    also: also.clone(),
                    tools: Vec::new(),
                }),
                Err(answer) => cannot.push(answer),
            }
        }
        Ok((asked, cannot))
    }
}

/// Enters in a profile's contenders those that its loads alone name, and has each load say whom it is asked.
///
/// # Errors
/// A load names contenders beside those of a profile that has all, or beside its own.
pub(super) fn enter_others(contenders: &mut Vec<String>, loads: &mut [Asked]) -> Result<(), String> {
    for asked in loads.iter().filter(|asked| !asked.also.is_empty()) {
        if contenders.is_empty() {
            return Err(format!("load {asked}: also: the profile names no contenders, so all are asked"));
        }
        if !asked.contenders.is_empty() {
            return Err(format!("load {asked}: contenders and also: expected one of them"));
        }
    }
    let named = loads.iter().flat_map(|asked| asked.contenders.iter().chain(&asked.also));
    let mut others: Vec<String> = named.filter(|name| !contenders.contains(name)).cloned().collect();
    others.sort();
    others.dedup();
    let has_others = !contenders.is_empty() && !others.is_empty();
    for asked in loads {
        // Not in results, whose loads say whom they were asked of.
        let also = std::mem::take(&mut asked.also);
        if has_others && asked.contenders.is_empty() {
            asked.contenders = contenders.iter().cloned().chain(also).collect();
        }
    }
    if has_others {
        contenders.extend(others);
    }
    Ok(())
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
        Self { load, contenders: Vec::new(), also: Vec::new(), tools: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Asked {
        toml::from_str(&format!("workload = \"xhr\"\nconnections = 1\n{text}")).expect("a load")
    }

    fn names(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_load_may_ask_others_beside_those_of_the_profile() {
        let mut contenders = names("a b");
        let mut loads = [asked(""), asked("also = [\"d\", \"c\"]"), asked("contenders = [\"a\", \"e\"]")];
        enter_others(&mut contenders, &mut loads).expect("fine");
        assert_eq!(contenders, names("a b c d e"));
        assert_eq!(loads.each_ref().map(|load| load.contenders.join(" ")), ["a b", "a b d c", "a e"]);
        assert!(loads.iter().all(|load| load.also.is_empty()));
    }

    #[test]
    fn loads_that_ask_nobody_else_say_nothing_of_contenders() {
        let mut contenders = names("a b");
        let mut loads = [asked(""), asked("contenders = [\"a\"]"), asked("also = [\"b\"]")];
        enter_others(&mut contenders, &mut loads).expect("fine");
        assert_eq!((contenders, loads[0].contenders.len()), (names("a b"), 0));
        assert!(loads[2].contenders.is_empty() && loads[2].also.is_empty());
    }

    #[test]
    fn others_beside_all_or_beside_the_loads_own_are_refused() {
        let of = |contenders: &str, load: &str| {
            enter_others(&mut names(contenders), &mut [asked(load)]).expect_err("refused")
        };
        assert!(of("", "also = [\"c\"]").contains("all are asked"));
        assert!(of("a", "also = [\"c\"]\ncontenders = [\"a\"]").contains("expected one of them"));
    }
}
