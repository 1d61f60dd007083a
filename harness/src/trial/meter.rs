use loadgen::Phase;

use crate::machine::{CoreSet, CoreTime, CoreUse, Memory, MemoryCourse, Spent, Usage};

/// Reads what a server, a tool and their cores use, at the moments that the tool announces.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    server: i32,
    port: u16,
    /// The server's and the tool's.
    cores: [&'a CoreSet; 2],
    before: Option<Memory>,
    idle: Option<Memory>,
    active: Option<Memory>,
    begin: Option<Reading>,
    end: Option<Reading>,
}

/// What was used in the measured time.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub(super) server: Spent,
    pub(super) tool: Option<Spent>,
    pub(super) cores: Option<[CoreUse; 2]>,
    pub(super) memory: Option<MemoryCourse>,
}

#[derive(Debug)]
struct Reading {
    server: Usage,
    tool: Option<Usage>,
    cores: Option<[CoreTime; 2]>,
}

impl<'a> Meter<'a> {
    /// For a server that nobody is connected to yet: what its memory then is counts as its own.
    pub(super) fn new(server: i32, port: u16, cores: [&'a CoreSet; 2]) -> Self {
        let mut meter =
            Self { server, port, cores, before: None, idle: None, active: None, begin: None, end: None };
        meter.before = meter.memory();
        meter
    }

    /// A phase has begun.
    pub(super) fn read(&mut self, phase: Phase, tool: i32) {
        match phase {
            Phase::Connect => {}
            Phase::Warmup => self.idle = self.memory(),
            Phase::Measure => {
                self.begin = self.reading(tool);
                self.active = self.begin.as_ref().map(|begin| Memory::of(&begin.server, self.port));
            }
            Phase::Drain => self.end = self.reading(tool),
        }
    }

    /// `None` if the measured time had no begin or no end, or the server was gone.
    pub(super) fn used(&self) -> Option<Used> {
        let (begin, end) = (self.begin.as_ref()?, self.end.as_ref()?);
        let server = end.server.since(&begin.server);
        let course = |((before, idle), active)| {
            let active = Memory { resident_bytes: server.resident_bytes, ..active };
            MemoryCourse { before, idle, active }
        };
        let since =
            |(begin, end): ([CoreTime; 2], [CoreTime; 2])| [end[0].since(&begin[0]), end[1].since(&begin[1])];
        Some(Used {
            server,
            tool: begin.tool.as_ref().zip(end.tool.as_ref()).map(|(begin, end)| end.since(begin)),
            cores: begin.cores.zip(end.cores).map(since),
            memory: self.before.zip(self.idle).zip(self.active).map(course),
        })
    }

    fn memory(&self) -> Option<Memory> {
        Some(Memory::of(&Usage::of_group(self.server)?, self.port))
    }

    fn reading(&self, tool: i32) -> Option<Reading> {
        let [of_server, of_tool] = self.cores.map(CoreTime::of);
        let cores = of_server.zip(of_tool).map(<[_; 2]>::from);
        let [server, tool] = Usage::of_groups([self.server, tool]);
        Some(Reading { server: server?, tool, cores })
    }
}
