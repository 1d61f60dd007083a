//! Contenders: their manifests, their building, their processes.

mod build;
mod manifest;
mod readiness;
mod server;

pub use build::{build, build_tool};
pub use manifest::{Contender, Deviation, find, find_all};
pub use server::{Boot, Server};
