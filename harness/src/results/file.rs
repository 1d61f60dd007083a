use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result};

use super::seal::{sealed, unbroken};
use super::{Journal, Run};

/// The JSON Schema of the files, beside them.
pub const SCHEMA_FILE: &str = "schema.json";

/// Writes `text` to `path`, whole or not at all, and on disk when this returns.
///
/// # Errors
/// The disk does not take it.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let failed = || format!("failed to write {}", path.display());
    let mut name = path.file_name().with_context(failed)?.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = File::create(&part).with_context(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(failed)?;
    fs::rename(&part, path).with_context(failed)
}

/// Writes a results file, with its digest.
///
/// # Errors
/// The disk does not take it.
pub fn save(path: &Path, run: &Run) -> Result<()> {
    write(path, &sealed(run)?)
}

/// Reads a results file; the name of its `.md` will do, and so will the journal of a run that was cut off.
///
/// # Errors
/// It cannot be read, is of another version, or was changed after it was written: what it looks like, and what to do.
pub fn read(path: &Path) -> Result<Run> {
    if path.extension().is_some_and(|end| end == "jsonl") {
        return Journal::read(path);
    }
    let path = path.with_extension("json");
    let bytes = fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
    let text = unbroken(&bytes).with_context(|| format!("the results file {}", path.display()))?;
    serde_json::from_str(text).with_context(|| format!("malformed results file {}", path.display()))
}

/// The results files of a folder, the latest first.
#[derive(Debug)]
pub struct Runs {
    /// Each with where it is.
    pub runs: Vec<(PathBuf, Run)>,
    /// Why others in the folder were passed over.
    pub passed_over: Vec<Error>,
}

/// All results files in a folder, by the times at which their runs began. One that is broken does not keep the
/// others from being read.
///
/// # Errors
/// The folder cannot be read.
pub fn all(folder: &Path) -> Result<Runs> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("failed to read the folder {}", folder.display()))?;
    let mut runs: Vec<(PathBuf, Run)> = Vec::new();
    let mut passed_over = Vec::new();
    for entry in entries {
        let file = entry?.path();
        if file.extension().is_some_and(|end| end == "json") && !file.ends_with(SCHEMA_FILE) {
            match read(&file) {
                Ok(run) => runs.push((file, run)),
                Err(error) => passed_over.push(error),
            }
        }
    }
    runs.sort_by(|(_, one), (_, other)| other.header.started_at.cmp(&one.header.started_at));
    Ok(Runs { runs, passed_over })
}

/// The latest results file in a folder.
#[derive(Debug)]
pub struct Latest {
    /// Where it is.
    pub file: PathBuf,
    /// What it holds.
    pub run: Run,
    /// Why others in the folder were passed over.
    pub passed_over: Vec<Error>,
}

/// The latest results file in a folder.
///
/// # Errors
/// The folder cannot be read, or holds no results that can be.
pub fn latest(folder: &Path) -> Result<Latest> {
    let Runs { runs, passed_over } = all(folder)?;
    match runs.into_iter().next() {
        Some((file, run)) => Ok(Latest { file, run, passed_over }),
        None => {
            let reasons: String = passed_over.iter().map(|error| format!("; {error:#}")).collect();
            Err(Error::msg(format!("no results in {}: `harness run` makes some{reasons}", folder.display())))
        }
    }
}
