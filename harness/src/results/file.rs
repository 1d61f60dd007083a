use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::{Journal, Run, SCHEMA};

/// The JSON Schema of the files, beside them.
pub const SCHEMA_FILE: &str = "schema.json";

/// Writes `text` to `path`, whole or not at all.
///
/// # Errors
/// The disk does not take it.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let failed = || format!("failed to write {}", path.display());
    let mut name = path.file_name().with_context(failed)?.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    fs::write(&part, text).with_context(failed)?;
    fs::rename(&part, path).with_context(failed)
}

/// Reads a results file; the name of its `.md` will do, and so will the journal of a run that was cut off.
///
/// # Errors
/// It cannot be read, is of another version, or is malformed: with file, line, and what was expected.
pub fn read(path: &Path) -> Result<Run> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: u32,
    }
    if path.extension().is_some_and(|end| end == "jsonl") {
        let (header, trials) = Journal::read(path)?;
        let finished_at = trials.last().map_or(header.started_at.clone(), |trial| trial.started_at.clone());
        return Ok(Run { header, finished_at, trials });
    }
    let path = path.with_extension("json");
    let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
    let malformed = || format!("malformed results file {}", path.display());
    let Versioned { schema } = serde_json::from_str(&text).with_context(malformed)?;
    if schema != SCHEMA {
        bail!("{} has schema {schema}: this program reads schema {SCHEMA}", path.display());
    }
    serde_json::from_str(&text).with_context(malformed)
}

/// The latest results file in a folder: by the time at which its run began.
///
/// # Errors
/// There is none, or one is malformed.
pub fn latest(folder: &Path) -> Result<(PathBuf, Run)> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("failed to read the folder {}", folder.display()))?;
    let mut latest: Option<(PathBuf, Run)> = None;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "json") && !path.ends_with(SCHEMA_FILE) {
            let run = read(&path)?;
            if latest.as_ref().is_none_or(|(_, other)| run.header.started_at > other.header.started_at) {
                latest = Some((path, run));
            }
        }
    }
    latest.with_context(|| format!("no results in {}: `harness run` makes some", folder.display()))
}
