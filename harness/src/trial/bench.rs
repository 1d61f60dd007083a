use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;

use loadgen::Timing;

use super::driver::{Driven, Driver};
use super::meter::Used;
use super::search::{Sought, search};
use super::{Calibration, Doubt, Failed, Failure, Search, disturbances, doubts};
use crate::contender::{Boot, Contender, Server};
use crate::machine::{CoreSet, Probe, connections_allowed};
use crate::plan::{Load, Profile, Rate, Slot};
use crate::results::Measured;
use crate::tool::{self, Found, ToolReport};

/// Takes one trial: what a run needs of the machine. A fake of it tests the rest without time or processes.
pub trait Measure {
    /// Measures `contender`, which is the slot's, under the slot's load; `label` names the trial in file names.
    ///
    /// # Errors
    /// Why there is no measurement.
    fn measure(&mut self, contender: &Contender, slot: &Slot, label: &str) -> Result<Measured, Failed>;
}

/// Measures on this machine: a fresh server process for each trial, driven by the load generator.
#[derive(Debug)]
pub struct Bench<'a> {
    /// How servers are booted.
    pub boot: Boot<'a>,
    /// The load generator's cores.
    pub tool_cores: &'a CoreSet,
    /// When a trial counts.
    pub profile: &'a Profile,
    /// Seed of the run: with the round it gives the times of a Poisson process, the same for all contenders.
    pub seed: u64,
    /// Files that a process may have open; `None`: any number.
    pub open_files: Option<u64>,
    /// Load generators of others that are there.
    pub tools: &'a [Found],
    /// Folder for the processes' output.
    pub logs: PathBuf,
}

impl Measure for Bench<'_> {
    fn measure(&mut self, contender: &Contender, slot: &Slot, label: &str) -> Result<Measured, Failed> {
        if self.boot.interrupted.load(Relaxed) {
            return Err(Failure::Interrupted.into());
        }
        let before = self.probe();
        let mut boot = Boot { processes: slot.load.processes(), ..self.boot.clone() };
        boot.settings.extend(slot.load.workers().map(|workers| ("WORKERS", workers.to_string())));
        let mut server = Server::boot(contender, &boot, self.logs.join(format!("{label}.server.log")))?;
        let log = self.logs.join(format!("{label}.tool.log"));
        let taken = self.take(&mut Driver::new(self, &mut server, log), slot)?;
        let Taken { driven: (measurement, used), mut doubts, calibration, search, report } = taken;
        let Used { server: spent, tool, cores, memory } = used;
        // What was measured before stays measured.
        if let Err(Failure::DidNotStop { within_s }) = server.stop() {
            doubts.push(Doubt::StoppedLate { within_s });
        }
        let probes = [before, self.probe()];
        let all_cores = self.boot.cores.len() + self.tool_cores.len();
        doubts.extend(disturbances(probes, cores.as_ref(), &spent, &measurement, report.as_ref(), all_cores));
        Ok(Measured {
            measurement,
            server: spent,
            tool,
            memory,
            probes,
            cores,
            doubts,
            calibration,
            search,
            report,
        })
    }
}

/// What came of a trial while its server ran.
pub(super) struct Taken {
    pub(super) driven: Driven,
    pub(super) doubts: Vec<Doubt>,
    pub(super) calibration: Option<Calibration>,
    pub(super) search: Option<Search>,
    pub(super) report: Option<ToolReport>,
}

impl Bench<'_> {
    fn probe(&self) -> Probe {
        Probe::take(self.boot.cores, self.tool_cores)
    }

    fn take(&self, driver: &mut Driver<'_>, slot: &Slot) -> Result<Taken, Failed> {
        let seed = self.seed.wrapping_add(u64::from(slot.round));
        let load = &slot.load;
        if let Some(sought) = Sought::by(load, self.profile, connections_allowed(self.open_files)) {
            return search(driver, load, &sought);
        }
        if let Some(Rate::Share(percent)) = load.rate() {
            return self.take_share(driver, load, percent, seed);
        }
        if let Some(tool) = tool::outside(load.tool()) {
            return self.take_outside(driver, load, tool);
        }
        let driven = self.drive(driver, load, None, seed)?;
        let doubts = doubts(&driven.0, self.tool_cores.len());
        Ok(Taken { driven, doubts, calibration: None, search: None, report: None })
    }

    fn drive(
        &self,
        driver: &mut Driver<'_>,
        load: &Load,
        level: Option<NonZeroU32>,
        seed: u64,
    ) -> Result<Driven, Failed> {
        let timing = self.timing(self.profile.seconds);
        driver.drive(tool::workload(load, level, seed), load.spins(), timing)
    }

    /// Warms up as the profile says, and counts for so many seconds.
    pub(super) fn timing(&self, seconds: f64) -> Timing {
        tool::timing(self.profile.warmup_s, self.profile.longest_warmup_s(), seconds)
    }

    /// Finds what the server does in closed loop, and then offers it a share of that.
    fn take_share(
        &self,
        driver: &mut Driver<'_>,
        load: &Load,
        percent: NonZeroU32,
        seed: u64,
    ) -> Result<Taken, Failed> {
        let timing = self.timing(self.profile.seconds.min(Calibration::SECONDS));
        let closed = tool::workload(load, None, seed);
        let found = driver.drive(closed, false, timing)?.0;
        let calibration = Calibration::of(&found, percent);
        let driven = self.drive(driver, load, Some(calibration.offered_per_s), seed)?;
        let cores = self.tool_cores.len();
        let earlier = doubts(&found, cores).into_iter().map(|doubt| Doubt::Calibration(Box::new(doubt)));
        let doubts = earlier.chain(doubts(&driven.0, cores)).collect();
        Ok(Taken { driven, doubts, calibration: Some(calibration), search: None, report: None })
    }
}
