//! What was found out of the contenders beside their measuring: kept as JSON in their folder, and shown on a page there.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::output::{err, out};
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
        const END: &str = "<!-- end -->\n";
        let begin = format!("<!-- begin: {}, by `{}` -->\n", self.name, self.command);
        let page = folder.join(self.file);
        let old = fs::read_to_string(&page).with_context(|| format!("failed to read {}", page.display()))?;
        let parts = old.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) =
            parts.with_context(|| format!("{} has no marks {begin:?} and {END:?}", page.display()))?;
        let new = format!("{before}{begin}{part}{END}{after}");
        if check && new != old {
            err!("{} does not show what {kept} holds: `{}` puts it there", page.display(), self.command);
            return Ok(Exit::Failed);
        }
        if !check {
            write(&page, &new)?;
            out!("{}", page.display());
        }
        Ok(Exit::Done)
    }
}
