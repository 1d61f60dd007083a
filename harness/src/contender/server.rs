use std::fs::File;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use contract::About;

use super::Contender;
use super::readiness::about;
use crate::machine::{Child, CoreSet, log_tail, port, processes_of_group};
use crate::root::Root;
use crate::trial::{Failed, Failure};

/// How long a contender may take until `GET /` answers.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// The contract: SIGTERM stops it within a second.
const STOPS_WITHIN: Duration = Duration::from_secs(1);

/// Where and how contenders are booted.
#[derive(Debug, Clone)]
pub struct Boot<'a> {
    /// The project.
    pub root: &'a Root,
    /// Address that the contender listens on.
    pub address: SocketAddr,
    /// Settings of the contract that are not to be as by default, by their variables' names.
    pub settings: Vec<(&'static str, String)>,
    /// Its cores; it gets one worker a core.
    pub cores: &'a CoreSet,
    /// How many times longer than natively it may take to be ready and to stop: 1, but for an instrumented one.
    pub slowness: u32,
    /// Processes that are to serve the port together; 1 where the load does not ask for more.
    pub processes: NonZeroUsize,
    /// Ends the waiting.
    pub interrupted: &'a AtomicBool,
}

/// A contender's running process. Dropped, it is killed with its whole process group.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    stops_within: Duration,
    processes: NonZeroUsize,
    log: PathBuf,
    /// What it says of itself.
    pub about: About,
}

impl Server {
    /// Starts a contender, with its output in `log`, and waits until it is ready.
    ///
    /// # Errors
    /// The port is held, or the contender cannot be started, ends, is not ready in time or answers wrongly.
    pub fn boot(contender: &Contender, boot: &Boot<'_>, log: PathBuf) -> Result<Self, Failed> {
        port::wait_until_free(boot.address, Duration::from_secs(2))
            .map_err(|error| Failure::PortInUse { reason: error.to_string() })?;
        let command = contender.run_command(boot.root);
        let not_started = |reason: String| Failure::NotStarted { command: command.join(" "), reason };
        let output =
            File::create(&log).map_err(|error| not_started(format!("{}: {error}", log.display())))?;
        let place = [
            ("HOST", boot.address.ip().to_string()),
            ("PORT", boot.address.port().to_string()),
            ("WORKERS", boot.cores.len().to_string()),
            ("PROCESSES", boot.processes.to_string()),
        ];
        let environment = [place.as_slice(), &boot.settings].concat();
        let child = Child::spawn(&command, boot.root.path(), &environment, boot.cores, output)
            .map_err(|error| not_started(error.to_string()))?;
        let mut starting = Starting { child, address: boot.address };
        match starting.wait_until_ready(boot) {
            Ok(about) if about.contender != contender.name => {
                let answered = format!("says that it is {:?}", about.contender);
                Err(Failed { failure: Failure::AnswersWrongly { answered }, log_tail: log_tail(&log) })
            }
            Ok(about) => {
                let Boot { address, processes, slowness, .. } = *boot;
                let stops_within = STOPS_WITHIN * slowness;
                Ok(Self { child: starting.child, address, stops_within, processes, log, about })
            }
            Err(failure) => Err(Failed { failure, log_tail: log_tail(&log) }),
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Those of its processes that serve: with several, the one that was started serves nobody.
    #[must_use]
    pub fn serving(&self) -> Vec<i32> {
        let own = self.pid();
        let others: Vec<i32> = processes_of_group(own).into_iter().filter(|pid| *pid != own).collect();
        if self.processes.get() > 1 { others } else { std::iter::once(own).chain(others).collect() }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.wait_for(Duration::ZERO)
    }

    /// A failure of this server, with the end of its log.
    #[must_use]
    pub fn failed(&self, failure: Failure) -> Failed {
        Failed { failure, log_tail: log_tail(&self.log) }
    }

    /// Asks it to stop, makes it stop if it does not, and waits a while until its port is free.
    ///
    /// # Errors
    /// [`Failure::DidNotStop`]: it had to be killed.
    pub fn stop(mut self) -> Result<(), Failure> {
        let obeyed = self.child.terminate(self.stops_within);
        // A port that stays held is what the next boot fails on, with its holder's name.
        let _ = port::wait_until_free(self.address, Duration::from_secs(2));
        if obeyed { Ok(()) } else { Err(Failure::DidNotStop { within_s: self.stops_within.as_secs_f64() }) }
    }
}

struct Starting {
    child: Child,
    address: SocketAddr,
}

impl Starting {
    fn wait_until_ready(&mut self, boot: &Boot<'_>) -> Result<About, Failure> {
        let ready_within = READY_WITHIN * boot.slowness;
        let deadline = Instant::now() + ready_within;
        loop {
            if let Some(status) = self.child.wait_for(Duration::from_millis(5)) {
                return Err(Failure::EndedAtBoot { status: status.to_string() });
            }
            if boot.interrupted.load(Relaxed) {
                return Err(Failure::Interrupted);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::NotReady { within_s: ready_within.as_secs_f64() });
            }
            match about(self.address, left.min(Duration::from_secs(1) * boot.slowness)) {
                Ok(Some(about)) => return self.wait_until_all_listen(about, boot, ready_within, deadline),
                Ok(None) => {}
                Err(answered) => return Err(Failure::AnswersWrongly { answered }),
            }
        }
    }

    /// `GET /` is answered when the first of several processes listens.
    fn wait_until_all_listen(
        &self,
        about: About,
        boot: &Boot<'_>,
        ready_within: Duration,
        deadline: Instant,
    ) -> Result<About, Failure> {
        let processes = boot.processes.get();
        if processes == 1 {
            return Ok(about);
        }
        loop {
            let listening = port::listeners(self.address.port());
            if listening >= processes {
                return Ok(about);
            }
            if boot.interrupted.load(Relaxed) {
                return Err(Failure::Interrupted);
            }
            if Instant::now() > deadline {
                let within_s = ready_within.as_secs_f64();
                return Err(Failure::TooFewListen { processes, listening, within_s });
            }
            sleep(Duration::from_millis(20));
        }
    }
}
