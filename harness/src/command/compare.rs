//! `harness compare`.

use anyhow::Result;

use super::output::out;
use crate::cli::{CompareOptions, Exit};
use crate::compare::{compare, markdown};
use crate::page::comparison;
use crate::results::{read, write};

/// Shows what changed from one run to another.
///
/// # Errors
/// A results file cannot be read.
pub fn compare_runs(options: &CompareOptions) -> Result<Exit> {
    let compared = compare(&read(&options.before)?, &read(&options.after)?);
    if options.json {
        out!("{}", serde_json::to_string_pretty(&compared)?);
    } else {
        out!("{}", markdown(&compared));
    }
    if let Some(file) = &options.html {
        write(file, &comparison(&compared)?)?;
    }
    let limit = options.fail_on_regression.map(|percent| 1.0 + percent / 100.0);
    Ok(match limit {
        None => Exit::Done,
        Some(limit) if compared.worst().is_some_and(|worst| worst > limit) => Exit::Regression,
        Some(_) if compared.is_incomplete() => Exit::NotComparable,
        Some(_) => Exit::Done,
    })
}
