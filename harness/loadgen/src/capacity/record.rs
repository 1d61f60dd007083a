use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Distribution;

/// How many connections a server held, step by step.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Capacity {
    /// What ended it.
    pub stopped: Stop,
    /// Connections that were open and swept in time, at the last step that was without fault.
    pub held: u64,
    /// The steps, the one at which it stopped included, if that was begun.
    pub steps: Vec<Step>,
}

/// What ended the adding of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Nothing: all connections that were asked for are open.
    Reached,
    /// The server refused or closed connections, by an answer, a close or a reset.
    Refused,
    /// The server takes no connections any more, or one of its processes has ended.
    Died,
    /// Connections did not open in the time of patience, for no reason that can be seen from here.
    ConnectTooSlow,
    /// The 99th percentile of a sweep was above the limit, or replies did not come in the time of patience.
    SweepTooSlow,
    /// A reply was not what was sent.
    WrongReply,
    /// A process of the server has as many files open as it may.
    ServerFileLimit,
    /// The generator may have no more files open, by `ulimit -n` or fs.file-max.
    OwnFileLimit,
    /// There is no free local port.
    Ports,
    /// Less than a tenth of the machine's memory is available, or would be after another step.
    Memory,
    /// A process of the generator died, as by want of memory.
    GeneratorDied,
}

impl Capacity {
    /// The steps that were without fault.
    pub fn good_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.connections <= self.held)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reached => "all that was asked for",
            Self::Refused => "refused by the server",
            Self::Died => "the server's death",
            Self::ConnectTooSlow => "connects too slow",
            Self::SweepTooSlow => "replies too slow",
            Self::WrongReply => "a wrong reply",
            Self::ServerFileLimit => "the server's limit of open files",
            Self::OwnFileLimit => "the load generator's limit of open files",
            Self::Ports => "no free local port",
            Self::Memory => "the machine's memory",
            Self::GeneratorDied => "the load generator's death",
        })
    }
}

/// Connections added, and a sweep over all that are open.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Step {
    /// Connections that are open, those of the steps before too.
    pub connections: u64,
    /// Time from the first connection of the step to the last, in s.
    pub connect_s: f64,
    /// Connections opened a second.
    pub connects_per_s: f64,
    /// From the start of `connect` to the checked answer to the upgrade, of the step's connections.
    pub connect: Distribution,
    /// Time from the first message of the sweep to the last reply, in s; 0 if there was none.
    pub sweep_s: f64,
    /// From a message's sending to its reply.
    pub sweep: Distribution,
    /// Connections not opened, by cause.
    pub failed: BTreeMap<String, u64>,
    /// What went wrong otherwise, by cause.
    pub errors: BTreeMap<String, u64>,
    /// Processes of the generator that hold connections.
    pub processes: u64,
    /// Memory, after the sweep.
    pub memory: StepMemory,
}

/// Memory in bytes a connection.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct StepMemory {
    /// Resident memory (VmRSS) of all processes of the generator ÷ connections. Pages of its program that the
    /// processes share count in each of them, so it is an upper bound.
    pub own_bytes: f64,
    /// Of this, what is no page of a file (RssAnon), and so of each process alone: heap, stacks.
    pub own_private_bytes: f64,
    /// What the resident memory of the server's processes has grown by ÷ connections; `None` if they are not known.
    pub server_bytes: Option<f64>,
    /// What the sockets' buffers (`mem` of /proc/net/sockstat) have grown by ÷ connections, of both ends.
    pub kernel_buffer_bytes: f64,
    /// What the kernel's own structures (`Slab` of /proc/meminfo) have grown by ÷ connections, of both ends:
    /// sockets, files, epoll entries.
    pub kernel_slab_bytes: f64,
    /// What was still available of the machine's memory (MemAvailable), in bytes.
    pub available_bytes: u64,
}
