//! `harness cost`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::kept::{Page, read_kept, write_kept};
use super::output::out;
use crate::cli::{CostOptions, Exit, Shared};
use crate::contender::{find, find_all};
use crate::cost::{Built, Costs, Machine, compile, count, markdown, package};
use crate::machine::Environment;
use crate::root::Root;

/// Of the contenders' folder: what is known, and the page that shows it.
pub(super) const KEPT: &str = "cost.json";
const PAGE: Page = Page { file: "COST.md", name: "the costs", command: "harness cost" };

/// Counts and builds contenders, keeps what came of it, and writes the page that shows it.
///
/// # Errors
/// A name is unknown, a contender does not build, or the disk does not take the page.
pub fn cost(shared: &Shared, options: &CostOptions) -> Result<Exit> {
    let root = Root::find(shared)?;
    let mut kept: Costs = read_kept(&root.servers().join(KEPT))?;
    if !options.check {
        take(&root, options, &mut kept)?;
    }
    PAGE.show(root.servers(), KEPT, &markdown(&kept), options.check)
}

fn take(root: &Root, options: &CostOptions, kept: &mut Costs) -> Result<()> {
    let all = find_all(root.servers())?;
    kept.contenders.retain(|name, _| all.iter().any(|contender| contender.name == *name));
    // Contenders that are one program are built once.
    let mut built: BTreeMap<String, Built> = BTreeMap::new();
    for contender in find(root.servers(), &options.contenders)? {
        out!("{}", contender.name);
        let mut cost = count(&contender, root)?;
        if let Some(old) = kept.contenders.get(&contender.name) {
            (cost.compile_s, cost.binary_bytes) = (old.compile_s, old.binary_bytes);
        }
        if let Some(package) = package(&contender).filter(|_| !options.no_build) {
            let known = built.get(package).copied();
            if let Some(new) = known.map_or_else(|| compile(&contender, root), |known| Ok(Some(known)))? {
                built.insert(package.to_owned(), new);
                (cost.compile_s, cost.binary_bytes) = (Some(new.compile_s), Some(new.binary_bytes));
                kept.machine = Some(machine(root.path()));
            }
        }
        kept.contenders.insert(contender.name, cost);
        write_kept(&root.servers().join(KEPT), kept)?;
    }
    Ok(())
}

fn machine(root: &Path) -> Machine {
    let Environment { processor, cores, rustc, commit, .. } = Environment::read(root, None);
    Machine { processor, cores, rustc, commit }
}
