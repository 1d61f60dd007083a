//! `harness report`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::fresh::{keep, replaced};
use super::output::{err, out};
use crate::cli::{Exit, ReportOptions, Shared};
use crate::page::{html, index};
use crate::report::{index_markdown, markdown, terminal};
use crate::results::{Latest, Run, Runs, all, latest, read};
use crate::root::Root;

const BEGIN: &str = "<!-- begin: the runs, by `harness report` -->\n";

/// Writes the tables of a results file again, and prints them.
///
/// # Errors
/// The results cannot be read, or the tables not be written.
pub fn report(shared: &Shared, options: &ReportOptions) -> Result<Exit> {
    let (file, run) = match &options.file {
        Some(file) => (file.with_extension("json"), read(file)?),
        None => latest_of(&Root::find(shared)?)?,
    };
    if !options.check {
        out!("{}", terminal(&run));
    }
    let fresh = publish(&file, &run, options.check)?;
    Ok(if fresh { Exit::Done } else { Exit::Failed })
}

/// Writes what is made of a results file, and the lists of the runs beside it; or checks all of that.
///
/// # Errors
/// The disk does not take it, or it cannot be read to be checked.
pub(super) fn publish(file: &Path, run: &Run, check: bool) -> Result<bool> {
    let command = format!("harness report {}", file.display());
    let results = file.display().to_string();
    let mut fresh = true;
    for (end, text) in [("md", markdown(run)), ("html", html(run)?)] {
        fresh &= keep(&file.with_extension(end), &text, check, &results, &command)?;
    }
    let folder = file.parent().context("a results file is in a folder")?;
    let Runs { runs, passed_over } = all(folder)?;
    if !passed_over.is_empty() {
        // Without them the lists would no longer tell that there is such a run.
        for error in passed_over {
            err!("error: {error:#}");
        }
        err!(
            "the lists of the runs in {} are left as they were: mend or remove what is damaged",
            folder.display()
        );
        return Ok(false);
    }
    let runs = || runs.iter().map(|(_, run)| run);
    fresh &= keep(&folder.join("index.html"), &index(runs())?, check, &results, &command)?;
    let readme = folder.join("README.md");
    // The project's own folder of results has one; any other may.
    if readme.exists() {
        let text = replaced(&readme, &[(BEGIN, index_markdown(runs()))])?;
        fresh &= keep(&readme, &text, check, &results, &command)?;
    }
    Ok(fresh)
}

/// The latest results of the project, with a warning for each file that had to be passed over.
///
/// # Errors
/// There are none.
pub(super) fn latest_of(root: &Root) -> Result<(PathBuf, Run)> {
    let Latest { file, run, passed_over } = latest(&root.results("results".as_ref()))?;
    for error in passed_over {
        err!("warning: passed over: {error:#}");
    }
    Ok((file, run))
}
