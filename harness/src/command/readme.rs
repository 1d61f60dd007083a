//! `harness readme`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};

use super::cost;
use super::fresh::{keep, replaced};
use super::kept::read_kept;
use super::report::latest_of;
use crate::cli::{Exit, ReadmeOptions, Shared};
use crate::guide;
use crate::report::{LEGEND, head, overview_markdown};
use crate::results::{Run, read};
use crate::root::Root;

const BEGIN: &str = "<!-- begin: the latest results, by `harness readme` -->\n";
const GUIDE: &str = "<!-- begin: which one to pick, by `harness readme` -->\n";

/// Puts an overview of results into the README, and the guide made of them, each between two marks: those of the file named, or of the
/// run that it shows, so that a run somebody takes does not make it stale.
///
/// # Errors
/// There are no such results, or the README has no marks.
pub fn readme(shared: &Shared, options: &ReadmeOptions) -> Result<Exit> {
    let root = Root::find(shared)?;
    let file = root.path().join("README.md");
    let shown = options.file.clone().or_else(|| shown(&fs::read_to_string(&file).ok()?, &root));
    let run = match shown {
        Some(results) => {
            let run = read(&results)?;
            // The README links to it there.
            let place = root.results("results".as_ref()).join(format!("{}.json", run.header.name));
            if results.canonicalize().ok() != place.canonicalize().ok() {
                bail!("{} is not {}: a README links to what is there", results.display(), place.display());
            }
            run
        }
        None => latest_of(&root)?.1,
    };
    let guide = guide::markdown(&run, &read_kept(&root.servers().join(cost::KEPT))?, 3);
    let text = replaced(&file, &[(GUIDE, guide), (BEGIN, results(&run))])?;
    Ok(if keep(&file, &text, options.check, "the results", "harness readme")? {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// The results that a README shows.
fn shown(readme: &str, root: &Root) -> Option<PathBuf> {
    let (_, tables) = readme.split_once(BEGIN)?;
    let (name, _) = tables.strip_prefix("From [")?.split_once(']')?;
    Some(root.results("results".as_ref()).join(format!("{name}.json")))
}

fn results(run: &Run) -> String {
    let name = &run.header.name;
    let machine = head(run).join(" ");
    let tables = overview_markdown(run, 3);
    format!(
        "From [{name}](results/{name}.md), which has every figure and what speaks against it. {machine}\n\n{LEGEND}\n\n{tables}"
    )
}
