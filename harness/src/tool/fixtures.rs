//! What the tests of the tools share. The fixtures are what the tools really wrote: see tests/fixtures/tools/README.md.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::{Fault, Question, Tool, ToolReport};
use crate::plan::Load;

/// A load of a second and a half on one thread.
pub fn question(load: &str) -> Question<'static> {
    let load: Load = toml::from_str(load).expect("a load");
    Question {
        root: Path::new("/project"),
        target: "127.0.0.1:9001".parse().expect("an address"),
        load: Box::leak(Box::new(load)),
        seconds: 1.5,
        threads: NonZeroUsize::MIN,
        scratch: PathBuf::from("/scratch/trial"),
    }
}

/// Reads an output as of the load with which the fixtures were made: eight connections.
pub fn read(tool: &dyn Tool, output: &str) -> Result<ToolReport, Fault> {
    let question = question("workload = \"xhr\"\nconnections = 8");
    tool.read(&question, output).map(|read| read.report)
}

/// The output, cut off before each of its bytes.
pub fn cut_off(output: &str) -> impl Iterator<Item = String> {
    let bytes = output.as_bytes();
    (0..bytes.len()).map(|end| String::from_utf8_lossy(&bytes[..end]).into_owned())
}
