use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use loadgen::Phase;

use super::report::Read;
use super::{Artillery, Fault, Hey, Oha, Wrk};
use crate::plan::{Load, ToolName};

/// Another's load generator: how it is found and told a load, and how its output is read.
pub trait Tool: Sync {
    /// Its name.
    fn name(&self) -> ToolName;

    /// What it can measure, and what its figures are: a line for people.
    fn measures(&self) -> &'static str;

    /// Its version, if it is there and its output is known.
    ///
    /// # Errors
    /// [`Fault::Missing`] or [`Fault::OtherVersion`], with how to get it.
    fn find(&self, root: &Path) -> Result<String, Fault>;

    /// The command that asks a load. What it needs besides is written now.
    ///
    /// # Errors
    /// [`Fault::NotStarted`]: that cannot be written.
    fn command(&self, question: &Question<'_>) -> Result<Vec<String>, Fault>;

    /// The phase that begins with a line of its output. A tool of which no line says that the load begins is taken to
    /// begin when it is started, and one of which none says that it ends, to end with its output.
    fn phase(&self, line: &str) -> Option<Phase> {
        let _ = line;
        None
    }

    /// Does a line of its output say when the load begins?
    fn tells_begin(&self) -> bool {
        false
    }

    /// What it measured, from what it wrote.
    ///
    /// # Errors
    /// [`Fault::Garbage`] or [`Fault::NoRequests`].
    fn read(&self, question: &Question<'_>, output: &str) -> Result<Read, Fault>;
}

/// What a tool is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// The project's folder.
    pub root: &'a Path,
    /// The server.
    pub target: SocketAddr,
    /// The load.
    pub load: &'a Load,
    /// How long, unless the load says how many.
    pub seconds: f64,
    /// Threads of the tool, one a core.
    pub threads: NonZeroUsize,
    /// Where it may write files: the begin of their names.
    pub scratch: PathBuf,
}

impl Question<'_> {
    /// `GET` of this is what the xhr workload asks.
    pub(super) fn xhr_url(&self) -> String {
        format!("http://{}/xhr?count={XHR_COUNT}", self.target)
    }
}

/// The count of every request: these tools send one and the same.
const XHR_COUNT: u32 = 1000;

/// All but our own.
pub const OUTSIDE: [&dyn Tool; 4] = [&Wrk, &Hey, &Oha, &Artillery];

/// The tool of this name; none for our own.
#[must_use]
pub fn outside(name: ToolName) -> Option<&'static dyn Tool> {
    OUTSIDE.into_iter().find(|tool| tool.name() == name)
}
