use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result, anyhow, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::asked::enter_others;
use super::{Asked, CannotDrive, Load, Until};
use crate::names::suggestion;

/// A warm-up lasts at most so many times its least, if its profile does not say.
const WARMUP_FACTOR: f64 = 5.0;

/// What a run measures: a file of `harness/profiles`.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its file's name.
    #[serde(default)]
    pub name: String,
    /// For people: what it is for.
    pub description: String,
    /// Passes over every cell.
    pub rounds: NonZeroU32,
    /// How well the figures are to be known, by more rounds of the loads whose are not; by default it is left at `rounds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// Load before counting begins, in seconds: at least, where it is then waited for a steady load.
    pub warmup_s: f64,
    /// Seconds after which counting begins though the load is not steady; five times `warmup_s` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup_max_s: Option<f64>,
    /// Load that is counted, in seconds.
    pub seconds: f64,
    /// The contenders; all if there are none. Those that a load alone names are entered as well.
    #[serde(default)]
    pub contenders: Vec<String>,
    /// The contender that is entered twice: what its two entries differ by is noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// The loads.
    #[serde(rename = "load")]
    pub loads: Vec<Asked>,
    /// What it asks of tools that cannot drive it, and is left out.
    #[serde(skip)]
    pub cannot: Vec<CannotDrive>,
}

impl Profile {
    /// Reads a profile by its name.
    ///
    /// # Errors
    /// There is none of that name, or it is malformed.
    pub fn named(folder: &Path, name: &str) -> Result<Self> {
        let file = folder.join(format!("{name}.toml"));
        if !file.is_file() {
            let known = Self::names(folder)?;
            bail!("no profile {name}: {}", suggestion(name, known.iter().map(String::as_str)));
        }
        Self::read(&file)
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// With the file, the line, and what was expected.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
        let mut profile =
            Self::parse(&text).with_context(|| format!("malformed profile {}", file.display()))?;
        let stem = file.file_stem().unwrap_or_default();
        profile.name = stem.to_string_lossy().into_owned();
        Ok(profile)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut profile: Self = toml::from_str(text)?;
        let Self { warmup_s, seconds, .. } = profile;
        if !(0.1..=3600.0).contains(&seconds) {
            bail!("seconds = {seconds}: expected 0.1 to 3600");
        }
        if !(0.0..=600.0).contains(&warmup_s) {
            bail!("warmup_s = {warmup_s}: expected 0 to 600");
        }
        let longest = profile.longest_warmup_s();
        if !(warmup_s..=3600.0).contains(&longest) {
            bail!("warmup_max_s = {longest}: expected warmup_s = {warmup_s} to 3600");
        }
        if profile.rounds.get() > 10_000 {
            bail!("rounds = {}: expected at most 10000", profile.rounds);
        }
        if let Some(until) = profile.until {
            until.check().map_err(Error::msg)?;
        }
        let mut loads = Vec::new();
        for asked in profile.loads {
            let title = asked.to_string();
            let wrong = |reason| anyhow!("load {title}: {reason}");
            let (asked, cannot) = asked.by_tool().map_err(wrong)?;
            loads.extend(asked);
            profile.cannot.extend(cannot);
        }
        enter_others(&mut profile.contenders, &mut loads).map_err(Error::msg)?;
        profile.loads = loads;
        for load in &profile.loads {
            load.check().map_err(|reason| anyhow!("load {load}: {reason}"))?;
        }
        if profile.loads.is_empty() && profile.cannot.is_empty() {
            bail!("no [[load]]: expected at least one");
        }
        if let Some(twice) = profile
            .loads
            .iter()
            .enumerate()
            .find(|(i, load)| profile.loads[..*i].iter().any(|other| other.load == load.load))
        {
            return Err(anyhow!("load {} ({}) stands there twice", twice.0 + 1, twice.1));
        }
        Ok(profile)
    }

    /// The loads, whoever is asked them.
    #[must_use]
    pub fn questions(&self) -> Vec<Load> {
        self.loads.iter().map(|asked| asked.load.clone()).collect()
    }

    /// What the load before counting may last, in seconds.
    #[must_use]
    pub fn longest_warmup_s(&self) -> f64 {
        self.warmup_max_s.unwrap_or(self.warmup_s * WARMUP_FACTOR)
    }

    /// Names of the profiles in a folder, sorted.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn names(folder: &Path) -> Result<Vec<String>> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .with_context(|| format!("failed to read the folder {}", folder.display()))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|file: &PathBuf| file.extension().is_some_and(|end| end == "toml"))
            .filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "description = \"d\"\nrounds = 2\nwarmup_s = 0.5\nseconds = 1.0\n";

    fn error(text: &str) -> String {
        format!("{:#}", Profile::parse(text).expect_err("malformed"))
    }

    #[test]
    fn a_profile_is_read_with_its_defaults() {
        let text = format!("{HEAD}[[load]]\nworkload = \"echo\"\nconnections = 64\npayload_bytes = 16\n");
        let profile = Profile::parse(&text).expect("well-formed");
        assert_eq!(profile.loads[0].to_string(), "echo, 64 × 16 B");
        assert_eq!((profile.seconds, profile.longest_warmup_s()), (1.0, 2.5));
        let given = Profile::parse(&format!("warmup_max_s = 4.0\n{text}")).expect("well-formed");
        assert_eq!(given.longest_warmup_s(), 4.0);
    }

    #[test]
    fn a_malformed_profile_is_refused_with_line_and_expectation() {
        let wrong_type = error(&HEAD.replace("rounds = 2", "rounds = \"two\""));
        assert!(wrong_type.contains("line 2") && wrong_type.contains("expected"), "{wrong_type}");
        let unknown = error(&format!("{HEAD}[[load]]\nworkload = \"ecko\"\n"));
        assert!(unknown.contains("line 5") && unknown.contains("`echo`"), "{unknown}");
        let missing = error(HEAD);
        assert!(missing.contains("missing field `load`"), "{missing}");
        let zero =
            error(&format!("{HEAD}[[load]]\nworkload = \"echo\"\nconnections = 0\npayload_bytes = 1\n"));
        assert!(zero.contains("line 5") && zero.contains("nonzero"), "{zero}");
    }

    #[test]
    fn times_that_measure_nothing_are_refused() {
        let load = "[[load]]\nworkload = \"echo\"\nconnections = 1\npayload_bytes = 1\n";
        let text = format!("{HEAD}{load}").replace("seconds = 1.0", "seconds = 0.0");
        assert!(error(&text).contains("expected 0.1 to 3600"));
        assert!(
            error(&format!("warmup_max_s = 0.4\n{HEAD}{load}")).contains("expected warmup_s = 0.5 to 3600")
        );
        assert!(error(&format!("{HEAD}{load}{load}")).contains("twice"));
    }

    #[test]
    fn what_standard_asks_of_some_full_asks_of_all() {
        let read = |name| Profile::named(Path::new("profiles"), name).expect("a profile of ours");
        let (standard, full) = (read("standard"), read("full"));
        let asks_all =
            |load: &Load| full.loads.iter().any(|asked| asked.load == *load && asked.contenders.is_empty());
        let missing: Vec<String> =
            standard.questions().iter().filter(|load| !asks_all(load)).map(Load::to_string).collect();
        assert!(full.contenders.is_empty() && missing.is_empty(), "{missing:?}");
    }
}
