//! `harness readme`.

use std::fs;

use anyhow::{Context as _, Result};

use super::output::{err, out};
use super::report::latest_of;
use crate::cli::{Exit, ReadmeOptions, Shared};
use crate::report::{head, tables_markdown};
use crate::results::{Run, write};
use crate::root::Root;

const BEGIN: &str = "<!-- begin: the latest results, by `harness readme` -->\n";
const END: &str = "<!-- end -->\n";

/// Puts the latest results' tables into the README, between two marks.
///
/// # Errors
/// There are no results, or the README has no marks.
pub fn readme(shared: &Shared, options: &ReadmeOptions) -> Result<Exit> {
    let root = Root::find(shared)?;
    let file = root.path().join("README.md");
    let (_, run) = latest_of(&root)?;
    let old = fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
    let new = replaced(&old, &run)
        .with_context(|| format!("{} has no marks {BEGIN:?} and {END:?}", file.display()))?;
    if new == old {
        return Ok(Exit::Done);
    }
    if options.check {
        err!("{} does not show the latest results: `harness readme` puts them there", file.display());
        return Ok(Exit::Failed);
    }
    write(&file, &new)?;
    out!("{} shows {}", file.display(), run.header.name);
    Ok(Exit::Done)
}

fn replaced(readme: &str, run: &Run) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let name = &run.header.name;
    let machine = head(run).join(" ");
    let tables = tables_markdown(run, 3);
    Some(format!("{before}{BEGIN}From [{name}](results/{name}.md). {machine}\n\n{tables}\n{END}{after}"))
}
