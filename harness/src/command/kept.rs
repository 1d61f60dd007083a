//! What was found out of the contenders beside their measuring: kept as JSON in their folder, and shown on a page there.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fresh::{keep, replaced};
use crate::cli::Exit;
use crate::results::write;

/// A page of the contenders' folder, part of which is made by a command.
pub(super) struct Page {
    /// Its file.
    pub(super) file: &'static str,
    /// What that part is.
    pub(super) name: &'static str,
    /// The command.
    pub(super) command: &'static str,
}

/// What is kept; nothing, if nothing is yet.
///
/// # Errors
/// The file cannot be read, or is malformed.
pub(super) fn read_kept<T: DeserializeOwned + Default>(file: &Path) -> Result<T> {
    if !file.exists() {
        return Ok(T::default());
    }
    let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("malformed {}", file.display()))
}

/// Keeps it.
///
/// # Errors
/// The disk does not take it.
pub(super) fn write_kept(file: &Path, kept: &impl Serialize) -> Result<()> {
    write(file, &format!("{}\n", serde_json::to_string_pretty(kept)?))
}

impl Page {
    /// Puts `part` into the page in the folder, in place of what was between its marks; with `check` it only tells whether it is there.
    ///
    /// # Errors
    /// The page cannot be read, has no marks, or cannot be written.
    pub(super) fn show(&self, folder: &Path, kept: &str, part: &str, check: bool) -> Result<Exit> {
        let begin = format!("<!-- begin: {}, by `{}` -->\n", self.name, self.command);
        let page = folder.join(self.file);
        let text = replaced(&page, &[(&begin, part.to_owned())])?;
        let is_fresh = keep(&page, &text, check, kept, self.command)?;
        Ok(if is_fresh { Exit::Done } else { Exit::Failed })
    }
}
