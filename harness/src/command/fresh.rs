//! Files that are made from others: written, or checked to be as they would be written.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::output::err;
use crate::results::write;

/// Writes a file that is made of a `source`; with `check` only tells whether it is what would be written, and if not, by
/// which command it becomes so.
///
/// # Errors
/// The disk does not take it, or it cannot be read to be checked.
pub(super) fn keep(file: &Path, text: &str, check: bool, source: &str, command: &str) -> Result<bool> {
    let shown = file.display();
    if !check {
        write(file, text)?;
        err!("wrote {shown}");
        return Ok(true);
    }
    let found = fs::read_to_string(file).with_context(|| format!("failed to read {shown}"))?;
    if found != text {
        err!("{shown} differs from what {source} gives: `{command}` writes it");
    }
    Ok(found == text)
}

/// Ends what is made, wherever it begins.
const END: &str = "<!-- end -->\n";

/// The text of a file with what it has after each of these lines replaced, up to the line that ends it.
///
/// # Errors
/// The file cannot be read, or has no such lines.
pub(super) fn replaced(file: &Path, parts: &[(&str, String)]) -> Result<String> {
    let shown = file.display();
    let mut text = fs::read_to_string(file).with_context(|| format!("failed to read {shown}"))?;
    for (begin, new) in parts {
        let around =
            text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) =
            around.with_context(|| format!("{shown} has no marks {begin:?} and {END:?}"))?;
        text = format!("{before}{begin}{new}{END}{after}");
    }
    Ok(text)
}
