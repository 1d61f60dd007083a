use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, OUTSIDE};
use crate::plan::ToolName;

/// Whether another's load generator is there.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Found {
    /// The tool.
    pub tool: ToolName,
    /// Its version; none if it cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why it cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// Looks for all of them.
#[must_use]
pub fn find_tools(root: &Path) -> Vec<Found> {
    let found = |tool: &dyn super::Tool| {
        let (version, fault) = match tool.find(root) {
            Ok(version) => (Some(version), None),
            Err(fault) => (None, Some(fault)),
        };
        Found { tool: tool.name(), version, fault }
    };
    OUTSIDE.into_iter().map(found).collect()
}

/// The first line that a program writes on either output; it may end in failure.
pub(super) fn first_line_of(
    program: impl AsRef<Path>,
    arguments: &[&str],
    how: &str,
) -> Result<String, Fault> {
    let program = program.as_ref();
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| match error.kind() {
        ErrorKind::NotFound => missing(how),
        _ => Fault::NotStarted { reason: format!("{}: {error}", program.display()) },
    })?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Ok(said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned())
}

/// The file that would be executed by this name.
pub(super) fn in_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|file| file.is_file())
}

pub(super) fn missing(how: &str) -> Fault {
    Fault::Missing { how: how.to_owned() }
}

/// The version, if it begins as those do whose output is known.
pub(super) fn known_version(found: &str, known: &str, how: &str) -> Result<String, Fault> {
    if found.starts_with(known) {
        return Ok(found.to_owned());
    }
    let how = how.to_owned();
    Err(Fault::OtherVersion { found: found.to_owned(), known: format!("{known}x"), how })
}
