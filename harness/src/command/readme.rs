//! `harness readme`.

use anyhow::Result;

use super::cost;
use super::fresh::{keep, replaced};
use super::kept::read_kept;
use super::report::latest_of;
use crate::cli::{Exit, ReadmeOptions, Shared};
use crate::guide;
use crate::report::{LEGEND, head, overview_markdown};
use crate::results::Run;
use crate::root::Root;

const BEGIN: &str = "<!-- begin: the latest results, by `harness readme` -->\n";
const GUIDE: &str = "<!-- begin: which one to pick, by `harness readme` -->\n";

/// Puts the latest results' tables into the README, and the guide made of them, each between two marks.
///
/// # Errors
/// There are no results, or the README has no marks.
pub fn readme(shared: &Shared, options: &ReadmeOptions) -> Result<Exit> {
    let root = Root::find(shared)?;
    let file = root.path().join("README.md");
    let (_, run) = latest_of(&root)?;
    let guide = guide::markdown(&run, &read_kept(&root.servers().join(cost::KEPT))?, 3);
    let text = replaced(&file, &[(GUIDE, guide), (BEGIN, results(&run))])?;
    Ok(if keep(&file, &text, options.check, "the latest results' file", "harness readme")? {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn results(run: &Run) -> String {
    let name = &run.header.name;
    let machine = head(run).join(" ");
    let tables = overview_markdown(run, 3);
    format!(
        "From [{name}](results/{name}.md), which has every figure and what speaks against it. {machine}\n\n{LEGEND}\n\n{tables}"
    )
}
