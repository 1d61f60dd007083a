//! `harness report`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::output::{err, out};
use crate::cli::{Exit, ReportOptions, Shared};
use crate::report::{markdown, terminal};
use crate::results::{Latest, Run, latest, read, write};
use crate::root::Root;

/// Writes the tables of a results file again, and prints them.
///
/// # Errors
/// The results cannot be read, or the tables not be written.
pub fn report(shared: &Shared, options: &ReportOptions) -> Result<Exit> {
    let (file, run) = match &options.file {
        Some(file) => (file.with_extension("json"), read(file)?),
        None => latest_of(&Root::find(shared)?)?,
    };
    let page = file.with_extension("md");
    let text = markdown(&run);
    if options.check {
        let found =
            fs::read_to_string(&page).with_context(|| format!("failed to read {}", page.display()))?;
        if found != text {
            err!(
                "{} differs from what its results give: `harness report {}`",
                page.display(),
                file.display()
            );
            return Ok(Exit::Failed);
        }
        return Ok(Exit::Done);
    }
    write(&page, &text)?;
    out!("{}\n{}", terminal(&run), page.display());
    Ok(Exit::Done)
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
