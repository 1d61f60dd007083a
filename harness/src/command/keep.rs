//! What load generators of others wrote, kept beside the results.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::output::err;
use crate::report::artillery_page;
use crate::results::write;
use crate::tool::REPORT_END;

/// Copies Artillery's reports from the folder of a run's logs to one beside its results, each with a page of it. Where it
/// wrote none there is no folder.
///
/// # Errors
/// A folder or a file cannot be read or written.
pub(super) fn keep_reports(logs: &Path, beside: &Path) -> Result<()> {
    let failed = || format!("failed to keep the reports of {}", logs.display());
    for entry in fs::read_dir(logs).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(title) = file.strip_suffix(REPORT_END) else { continue };
        let text = fs::read_to_string(entry.path()).with_context(failed)?;
        fs::create_dir_all(beside).with_context(failed)?;
        write(&beside.join(&file), &text)?;
        match artillery_page(title, &text) {
            Ok(page) => write(&beside.join(format!("{title}.html")), &page)?,
            // It stays as it is: its trial has failed, and says why.
            Err(error) => err!("warning: no page of {file}: {error}"),
        }
    }
    Ok(())
}
