//! What a contender costs those who keep it: its code, what it is built on, and how long that takes.

mod lines;
mod measure;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use measure::{Built, compile, count, package};
pub use table::markdown;

/// What is known of all contenders: `servers/cost.json`.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Where the builds were timed, and by which compiler; none if none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// By contender.
    pub contenders: BTreeMap<String, Cost>,
}

/// Where builds were timed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Its cores, all of which cargo may use.
    pub cores: usize,
    /// The compiler.
    pub rustc: String,
    /// Commit of the project.
    pub commit: Option<String>,
}

/// What one contender costs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The framework, as people read it.
    pub title: String,
    /// Lines of its own code that are neither blank nor comment.
    pub lines: usize,
    /// Those in files that are for WebSocket alone; none if no file is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub websocket_lines: Option<usize>,
    /// Those in files that are for event streams alone; none if no file is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_stream_lines: Option<usize>,
    /// Lines of the project's crates that some contenders share and others do without.
    #[serde(default)]
    pub shared_lines: usize,
    /// Is it a script, which nothing builds?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub script: bool,
    /// Crates of others that it is built from, build scripts' and macros' too; none for another language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crates: Option<usize>,
    /// The release build without symbols; none until it was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_bytes: Option<u64>,
    /// From nothing to the release build, its dependencies there but not built; none until it was timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compile_s: Option<f64>,
}
