//! A truth server for a test, and a load that drives it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use clap::Parser as _;
use loadgen::{Load, Measurement, run};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use truth::Given;

pub struct Server {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Server {
    pub fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_truth-server"));
        command.args(["--port", "0", "--record"]).arg(folder.path().join("given")).args(options);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut address = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut address).expect("its address");
        Self { child, address: address.trim_end().to_owned(), folder }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Drives it with all counted from the start; what was measured, by the words of the load generator's command line.
    pub fn measure(&self, load: &str) -> Measurement {
        let words = ["loadgen", "--target", &self.address, "--warmup-s", "0"];
        let load = Load::parse_from(words.into_iter().chain(load.split(' ')));
        let measurement = run(&load, |_| {}).expect("a measurement");
        assert!(measurement.errors.is_empty(), "{:?}", measurement.errors);
        measurement
    }

    /// Ends it: what it gave.
    pub fn end(mut self) -> Given {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("it runs");
        assert!(self.child.wait().expect("it ends").success());
        let line = std::fs::read_to_string(self.folder.path().join("given")).expect("a record");
        serde_json::from_str(&line).expect("one line")
    }
}

impl Drop for Server {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
