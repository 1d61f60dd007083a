use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use rustix::thread::{CpuSet, sched_getaffinity};

/// A set of cores by number, sorted, not empty. Written as the kernel and `taskset` do: `0-1,4`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreSet(Vec<usize>);

impl CoreSet {
    /// The cores that this process may run on.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn allowed() -> Result<Self> {
        let set = sched_getaffinity(None).context("failed to read the cores this process may run on")?;
        Ok(Self((0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect()))
    }

    /// How many there are.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a core set is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The cores, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().copied()
    }

    /// The first core alone.
    #[must_use]
    pub fn first(&self) -> Self {
        Self(self.0[..1].to_vec())
    }

    /// As the kernel takes it.
    #[must_use]
    pub fn to_cpu_set(&self) -> CpuSet {
        let mut set = CpuSet::new();
        for &core in &self.0 {
            set.set(core);
        }
        set
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().any(|core| other.0.contains(core))
    }
}

impl FromStr for CoreSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected core numbers such as 0-1,4, not {text:?}");
        let mut cores = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first: usize = first.trim().parse().map_err(|_| wrong())?;
            let last: usize = last.trim().parse().map_err(|_| wrong())?;
            if first > last || last >= CpuSet::MAX_CPU {
                return Err(wrong());
            }
            cores.extend(first..=last);
        }
        cores.sort_unstable();
        cores.dedup();
        Ok(Self(cores))
    }
}

impl fmt::Display for CoreSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_slice();
        let mut comma = "";
        while let Some(&first) = rest.first() {
            let run = rest.iter().enumerate().take_while(|(i, core)| **core == first + i).count();
            match run {
                1 => write!(f, "{comma}{first}")?,
                _ => write!(f, "{comma}{first}-{}", first + run - 1)?,
            }
            comma = ",";
            rest = &rest[run..];
        }
        Ok(())
    }
}

/// Who runs where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cores {
    /// The server's.
    pub server: CoreSet,
    /// The load generator's.
    pub tool: CoreSet,
}

impl Cores {
    /// The first half of the allowed cores for the server and the rest for the tool, unless told otherwise.
    /// Also: what a person should know before anything is measured.
    ///
    /// # Errors
    /// A core was asked for that this process may not run on.
    pub fn divide(
        allowed: &CoreSet,
        server: Option<&CoreSet>,
        tool: Option<&CoreSet>,
    ) -> Result<(Self, Vec<String>)> {
        for asked in [server, tool].into_iter().flatten() {
            if let Some(core) = asked.0.iter().find(|core| !allowed.0.contains(core)) {
                bail!("core {core} was asked for, but this process may run on {allowed} only");
            }
        }
        let half = allowed.len().div_ceil(2);
        let first = CoreSet(allowed.0[..half].to_vec());
        let rest = CoreSet(allowed.0[half..].to_vec());
        let server = server.cloned().unwrap_or(first);
        let tool = tool.cloned().unwrap_or(if rest.0.is_empty() { server.clone() } else { rest });
        let mut notes = Vec::new();
        if server.overlaps(&tool) {
            notes.push(format!(
                "the server (cores {server}) and the load generator (cores {tool}) share cores: each takes time from the \
                 other, and the figures say little of the server alone. At least 2 cores are needed to part them"
            ));
        }
        Ok((Self { server, tool }, notes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cores(text: &str) -> CoreSet {
        text.parse().expect("a core set")
    }

    #[test]
    fn core_sets_are_read_and_written_as_the_kernel_does() {
        for (text, written) in [("0", "0"), ("0-1,4", "0-1,4"), ("3,1,2,1", "1-3"), ("5, 7-8", "5,7-8")] {
            assert_eq!(cores(text).to_string(), written);
        }
        for wrong in ["", "a", "2-1", "0,", "-1", "99999"] {
            assert!(wrong.parse::<CoreSet>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_first_half_serves_and_the_rest_drives() {
        let divide = |allowed: &str| Cores::divide(&cores(allowed), None, None).expect("allowed");
        let (four, notes) = divide("0-3");
        assert_eq!((four.server, four.tool, notes.len()), (cores("0-1"), cores("2-3"), 0));
        let (odd, _) = divide("1,3,5");
        assert_eq!((odd.server, odd.tool), (cores("1,3"), cores("5")));
    }

    #[test]
    fn one_core_is_shared_and_said() {
        let (one, notes) = Cores::divide(&cores("0"), None, None).expect("allowed");
        assert_eq!(one.server, one.tool);
        assert!(notes[0].contains("share cores"), "{notes:?}");
    }

    #[test]
    fn a_core_that_is_not_ours_is_refused() {
        let error = Cores::divide(&cores("0-1"), Some(&cores("2")), None).expect_err("core 2");
        assert!(error.to_string().contains("may run on 0-1 only"));
    }
}
