//! `harness list`.

use anyhow::Result;

use super::output::out;
use crate::cli::{Exit, ListOptions, Shared};
use crate::contender::find_all;
use crate::plan::{Load, Profile};
use crate::root::Root;

/// Shows contenders, workloads and profiles.
///
/// # Errors
/// A manifest or a profile is malformed.
pub fn list(shared: &Shared, _: &ListOptions) -> Result<Exit> {
    let root = Root::find(shared)?;
    out!("Contenders ({}):", root.servers().display());
    for contender in find_all(root.servers())? {
        out!(
            "  {:<14} {} ({}): {}",
            contender.name,
            contender.title,
            contender.language,
            contender.serves.join(", ")
        );
    }
    out!("\nWorkloads: {}", Load::WORKLOADS.join(", "));
    out!("\nProfiles ({}):", root.profiles().display());
    for name in Profile::names(&root.profiles())? {
        let profile = Profile::named(&root.profiles(), &name)?;
        out!("  {:<14} {}", name, profile.description);
        for load in &profile.loads {
            out!("  {:<14}   {load}", "");
        }
    }
    Ok(Exit::Done)
}
