//! `harness report`.

use std::fs;

use anyhow::{Context as _, Result};

use super::output::{err, out};
use crate::cli::{Exit, ReportOptions, Shared};
use crate::report::{markdown, terminal};
use crate::results::{latest, read, write};
use crate::root::Root;

/// Writes the tables of a results file again, and prints them.
///
/// # Errors
/// The results cannot be read, or the tables not be written.
pub fn report(shared: &Shared, options: &ReportOptions) -> Result<Exit> {
    let (file, run) = match &options.file {
        Some(file) => (file.with_extension("json"), read(file)?),
        None => latest(&Root::find(shared)?.results("results".as_ref()))?,
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
