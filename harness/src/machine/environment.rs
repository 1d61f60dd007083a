use std::fs;
use std::process::Command;

use procfs::{CpuInfo, Current as _, LoadAverage, Meminfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is recorded of the machine, so that two results can be told apart.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Environment {
    /// The processor's name.
    pub processor: String,
    /// Cores that the system has.
    pub cores: usize,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Kernel and its release.
    pub kernel: String,
    /// Frequency governor of the first core; none in most virtual machines.
    pub governor: Option<String>,
    /// Mitigations of processor faults, by fault.
    pub mitigations: Vec<String>,
    /// How TCP paces what it sends, loopback included (`net.ipv4.tcp_congestion_control`).
    pub congestion_control: Option<String>,
    /// Hard limit of open files for a process; `None`: unlimited.
    pub open_files: Option<u64>,
    /// Load average over the last minute, before anything was measured.
    pub load_before: f32,
    /// The compiler's version.
    pub rustc: String,
    /// Commit of the project, with `+changes` if files differ from it.
    pub commit: Option<String>,
}

impl Environment {
    /// A short name for the machine: its processor, less what says nothing, and its number of cores.
    #[must_use]
    pub fn short_name(&self) -> String {
        let brand = self.processor.split('@').next().unwrap_or_default();
        let brand = brand.replace("(R)", "").replace("(TM)", "");
        let telling = |word: &&str| !["CPU", "Processor"].contains(word);
        let words: Vec<&str> = brand.split_whitespace().filter(telling).collect();
        format!("{} {}c", words.join(" "), self.cores)
    }

    /// Reads it. What cannot be read is left out or "unknown": nothing of it is needed to measure.
    #[must_use]
    pub fn read(root: &std::path::Path, open_files: Option<u64>) -> Self {
        let cpu = CpuInfo::current().ok();
        let system = rustix::system::uname();
        let processor = cpu.as_ref().and_then(|cpu| cpu.model_name(0)).unwrap_or("unknown").to_owned();
        Self {
            processor,
            cores: cpu.map_or(0, |cpu| cpu.num_cores()),
            memory_bytes: Meminfo::current().map_or(0, |memory| memory.mem_total),
            kernel: format!("{} {}", system.sysname().to_string_lossy(), system.release().to_string_lossy()),
            governor: read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            mitigations: mitigations(),
            congestion_control: read_line("/proc/sys/net/ipv4/tcp_congestion_control"),
            open_files,
            load_before: LoadAverage::current().map_or(0.0, |load| load.one),
            rustc: output_of(Command::new("rustc").arg("--version")).unwrap_or_else(|| "unknown".to_owned()),
            commit: commit(root),
        }
    }
}

fn mitigations() -> Vec<String> {
    let Ok(entries) = fs::read_dir("/sys/devices/system/cpu/vulnerabilities") else { return Vec::new() };
    let mut lines: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let state = read_line(entry.path())?;
            (state != "Not affected").then(|| format!("{}: {state}", entry.file_name().to_string_lossy()))
        })
        .collect();
    lines.sort();
    lines
}

fn commit(root: &std::path::Path) -> Option<String> {
    let git = |arguments: &[&str]| output_of(Command::new("git").arg("-C").arg(root).args(arguments));
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    // Results are what a run adds: they change nothing of what was measured.
    let changes = git(&["status", "--porcelain", "--", ".", ":!results", ":!README.md"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}+changes") })
}

fn read_line(file: impl AsRef<std::path::Path>) -> Option<String> {
    Some(fs::read_to_string(file).ok()?.trim().to_owned())
}

fn output_of(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
