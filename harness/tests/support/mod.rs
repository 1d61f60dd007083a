//! What the tests of the command share: a free port, folders of contenders made for a test, and its runs.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::results::{Run, read};
use tempfile::TempDir;

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the project's folder")
}

/// A port that nobody holds, outside the local port range.
pub fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(10_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// One use of the command, with folders of its own for contenders and results.
pub struct Stage {
    folder: TempDir,
    pub port: u16,
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("servers")).expect("a folder");
        Self { folder, port: free_port() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Enters a contender of the project. It is built as `scripts/test.sh` builds all: its own command would build its
    /// dependencies once more, with fewer features.
    pub fn with(self, name: &str) -> Self {
        let built_with_all = |line: &str| match line.rsplit_once(", \"-p\", ") {
            Some((cargo, _)) if line.starts_with("build = ") => {
                format!("{cargo}, \"--workspace\", \"--bins\", \"--tests\"]\n")
            }
            _ => format!("{line}\n"),
        };
        let manifest: String = manifest_of(name).lines().map(built_with_all).collect();
        self.manifest(name, &manifest)
    }

    /// Enters a contender of the project, built by its own command.
    pub fn with_own_build(self, name: &str) -> Self {
        self.manifest(name, &manifest_of(name))
    }

    /// Enters a contender that is a shell command.
    pub fn with_command(self, name: &str, build: &str, run: &str) -> Self {
        let shell = |command: &str| format!("[\"sh\", \"-c\", {command:?}]");
        let (build, run) = (shell(build), shell(run));
        self.manifest(
            name,
            &format!(
                "name = {name:?}\ntitle = \"\"\nlanguage = \"sh\"\nbuild = {build}\nrun = {run}\nserves = [\"echo\", \"broadcast\"]\n"
            ),
        )
    }

    /// Enters a contender by its manifest.
    pub fn manifest(self, name: &str, text: &str) -> Self {
        let folder = self.path("servers").join(name);
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("contender.toml"), text).expect("a manifest");
        self
    }

    /// Writes the profile that [`Stage::run`] uses: these loads, in TOML.
    pub fn profile(self, rounds: u32, seconds: f64, loads: &[&str]) -> Self {
        let mut text = format!(
            "description = \"\"\nrounds = {rounds}\nwarmup_s = 0.1\nwarmup_max_s = 0.1\nseconds = {seconds:?}\n"
        );
        for load in loads {
            text.push_str(&format!("[[load]]\n{load}\n"));
        }
        fs::write(self.path("tiny.toml"), text).expect("a profile");
        self
    }

    /// The command with this stage's folders and port.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.arg("--root").arg(root()).arg("--servers").arg(self.path("servers")).args(arguments);
        command
    }

    /// `harness run` on the profile.
    pub fn run_command(&self, arguments: &[&str]) -> Command {
        // Beside other tests the machine's state changes all the time, which is no matter here.
        let port = self.port.to_string();
        let mut command = self.command(&["run", "--machine", "test", "--repeats", "0", "--port", &port]);
        command.arg("--profile-file").arg(self.path("tiny.toml")).arg("--results").arg(self.path("results"));
        command.args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_command(arguments).output().expect("the command starts")
    }

    /// `harness run` in the background.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.run_command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts")
    }

    /// The results of the one run there was.
    pub fn results(&self) -> Run {
        let files = fs::read_dir(self.path("results")).expect("results").flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> =
            files.filter(|file| file.extension().is_some_and(|e| e == "json")).collect();
        assert_eq!(files.len(), 1, "one results file");
        read(&files.remove(0)).expect("a results file")
    }

    /// Waits until the tool has been driving a server of this stage for a moment; the server's process.
    pub fn wait_for_trial(&self) -> i32 {
        // On a fresh checkout the contenders are built first.
        let deadline = Instant::now() + Duration::from_secs(600);
        loop {
            assert!(Instant::now() < deadline, "no trial began in ten minutes");
            if let (Some(server), Some(_)) = (self.process_with("PORT"), self.tool()) {
                sleep(Duration::from_millis(300));
                return server;
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// The process of the load generator that drives this stage's port.
    pub fn tool(&self) -> Option<i32> {
        let target = format!("127.0.0.1:{}", self.port);
        let drives = |process: &procfs::process::Process| {
            process.cmdline().is_ok_and(|words| {
                words.first().is_some_and(|program| program.ends_with("loadgen")) && words.contains(&target)
            })
        };
        find_process(drives)
    }

    /// The process that was given this stage's port.
    pub fn process_with(&self, variable: &str) -> Option<i32> {
        let port = self.port.to_string();
        find_process(|process| {
            let environment = process.environ().unwrap_or_default();
            environment.get(std::ffi::OsStr::new(variable)).is_some_and(|value| *value == *port)
        })
    }

    /// Asserts that nothing of a run is left: no server, no tool, no held port.
    pub fn assert_nothing_left(&self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.process_with("PORT").is_some() || self.tool().is_some() {
            assert!(Instant::now() < deadline, "processes are left");
            sleep(Duration::from_millis(20));
        }
        TcpListener::bind(("127.0.0.1", self.port)).expect("the port is free again");
    }
}

fn manifest_of(contender: &str) -> String {
    let file = root().join("servers").join(contender).join("contender.toml");
    fs::read_to_string(file).expect("a contender of the project")
}

fn find_process(wanted: impl Fn(&procfs::process::Process) -> bool) -> Option<i32> {
    let alive = |process: &procfs::process::Process| process.stat().is_ok_and(|stat| stat.state != 'Z');
    let mut processes = procfs::process::all_processes().expect("/proc").flatten();
    processes.find(|process| alive(process) && wanted(process)).map(|process| process.pid)
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub const ECHO: &str = "workload = \"echo\"\nconnections = 8\npayload_bytes = 64";
pub const BROADCAST: &str = "workload = \"broadcast\"\nsubscribers = 8\npayload_bytes = 64";

/// Some trials of a real run, in the file's first version.
pub fn old_results() -> Run {
    read(&root().join("harness/tests/fixtures/schema-1.json")).expect("readable")
}
