//! `harness tools`.

use anyhow::Result;

use super::output::out;
use crate::cli::{Exit, Shared, ToolsOptions};
use crate::root::Root;
use crate::tool::{NAME, OUTSIDE, find_tools};

/// Shows the load generators: version, or why one cannot be used, and what each can measure.
///
/// # Errors
/// The project is not found.
pub fn tools(shared: &Shared, options: &ToolsOptions) -> Result<Exit> {
    let root = Root::find(shared)?;
    if options.json {
        out!("{}", serde_json::to_string_pretty(&find_tools(root.path()))?);
        return Ok(Exit::Done);
    }
    out!("{NAME:<10} {}: every workload; latency in ns, every reply checked", env!("CARGO_PKG_VERSION"));
    for tool in OUTSIDE {
        let found = tool.find(root.path()).unwrap_or_else(|fault| fault.to_string());
        out!("{:<10} {found}: {}", tool.name(), tool.measures());
    }
    Ok(Exit::Done)
}
