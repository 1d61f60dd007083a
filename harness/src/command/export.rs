//! `harness export`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::output::{out, text};
use super::report::latest_of;
use crate::cli::{Exit, ExportOptions, Shared};
use crate::export::export;
use crate::results::{read, write};
use crate::root::Root;

/// Writes a run in a form that other tools read.
///
/// # Errors
/// The results cannot be read, the files not be written, or several be printed.
pub fn export_run(shared: &Shared, options: &ExportOptions) -> Result<Exit> {
    let run = match &options.file {
        Some(file) => read(file)?,
        None => latest_of(&Root::find(shared)?)?.1,
    };
    let exports = export(&run, options.format)?;
    if options.output == Path::new("-") {
        let [only] = exports.as_slice() else {
            bail!("{} files cannot be printed as one: name a folder for them by --output DIR", exports.len());
        };
        text(&only.text);
        return Ok(Exit::Done);
    }
    let folder = &options.output;
    fs::create_dir_all(folder).with_context(|| format!("failed to make the folder {}", folder.display()))?;
    for export in exports {
        let file = folder.join(&export.file);
        write(&file, &export.text)?;
        out!("{}", file.display());
    }
    Ok(Exit::Done)
}
