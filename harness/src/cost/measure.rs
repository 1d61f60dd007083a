use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::Cost;
use super::lines::Lines;
use crate::contender::Contender;
use crate::root::Root;

/// What all contenders stand on alike: counted for none.
const COMMON: [&str; 2] = ["contract", "launch"];

/// A clean build.
#[derive(Debug, Clone, Copy)]
pub struct Built {
    /// How long it took, in seconds.
    pub compile_s: f64,
    /// What came of it, without symbols.
    pub binary_bytes: u64,
}

/// What can be read of a contender without building it.
///
/// # Errors
/// Its source cannot be read, or cargo does not tell its tree.
pub fn count(contender: &Contender, root: &Root) -> Result<Cost> {
    let mut cost = Cost { title: contender.title.clone(), ..Cost::default() };
    let Some(package) = package(contender) else {
        let end = if contender.language == "Python" { "py" } else { "js" };
        cost.lines = Lines::of(&root.servers().join(&contender.name), end)?.all;
        cost.script = contender.build.is_empty();
        return Ok(cost);
    };
    let tree = Tree::of(package, root)?;
    let own = Lines::of(&tree.own.join("src"), "rs")?;
    cost.lines = own.all;
    cost.websocket_lines = Some(own.websocket).filter(|lines| *lines > 0);
    cost.event_stream_lines = Some(own.event_stream).filter(|lines| *lines > 0);
    for folder in &tree.shared {
        cost.shared_lines += Lines::of(&folder.join("src"), "rs")?.all;
    }
    cost.crates = Some(tree.others);
    Ok(cost)
}

/// Builds a contender from nothing as a release, its dependencies fetched before; `None`: it is not built by cargo.
///
/// # Errors
/// It does not build.
pub fn compile(contender: &Contender, root: &Root) -> Result<Option<Built>> {
    let Some(package) = package(contender) else { return Ok(None) };
    let target = tempfile::tempdir().context("failed to make a folder to build in")?;
    let began = Instant::now();
    let status = Command::new("cargo")
        .args(["build", "--locked", "--offline", "--quiet", "--release", "--package", package])
        .arg("--target-dir")
        .arg(target.path())
        // A wrapper that keeps what was compiled before would have the build begin with more than nothing.
        .env("RUSTC_WRAPPER", "")
        .current_dir(root.path())
        .status()
        .context("failed to run cargo")?;
    let compile_s = began.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{} does not build: cargo ended with {status}", contender.name);
    }
    let program = contender.run.first().and_then(|program| program.strip_prefix("{bin}/"));
    let program = program.with_context(|| format!("{} is not run from {{bin}}", contender.name))?;
    let binary_bytes = stripped(&target.path().join("release").join(program), target.path())?;
    Ok(Some(Built { compile_s, binary_bytes }))
}

/// The package that a contender's build command names; `None`: cargo does not build it.
#[must_use]
pub fn package(contender: &Contender) -> Option<&str> {
    let mut words = contender.build.iter();
    words.find(|word| ["-p", "--package"].contains(&word.as_str()))?;
    words.next().map(String::as_str)
}

/// The length of a program without its symbols and lines.
fn stripped(program: &Path, folder: &Path) -> Result<u64> {
    let bare = folder.join("stripped");
    let status = Command::new("strip").arg("-o").arg(&bare).arg(program).status();
    let status = status.context("failed to run strip; it comes with the linker, in Debian's binutils")?;
    if !status.success() {
        bail!("strip cannot read {}", program.display());
    }
    Ok(fs::metadata(&bare)?.len())
}

/// What a package is built from.
struct Tree {
    /// Its own folder.
    own: PathBuf,
    /// Folders of the project's crates below it that not all contenders share.
    shared: BTreeSet<PathBuf>,
    /// How many crates of others there are.
    others: usize,
}

impl Tree {
    fn of(package: &str, root: &Root) -> Result<Self> {
        let output = Command::new("cargo")
            .args(["tree", "--locked", "--offline", "--edges", "normal,build", "--prefix", "none"])
            .args(["--package", package])
            .current_dir(root.path())
            .stderr(Stdio::inherit())
            .output()
            .context("failed to run cargo")?;
        if !output.status.success() {
            bail!("cargo does not tell the tree of {package}: {}", output.status);
        }
        Self::read(&String::from_utf8_lossy(&output.stdout))
            .with_context(|| format!("cargo tells nothing of {package}"))
    }

    /// Lines such as `bytes v1.12.0 (*)` or `launch v0.1.0 (/folder)`, the package's own first.
    fn read(text: &str) -> Option<Self> {
        let lines: BTreeSet<&str> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        let own = folder(text.lines().next()?)?.to_owned();
        let (local, others): (Vec<&str>, Vec<&str>) =
            lines.into_iter().filter(|line| !line.is_empty()).partition(|line| folder(line).is_some());
        let is_shared = |folder: &&Path| {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            *folder != own && !COMMON.contains(&name)
        };
        let shared = local.into_iter().filter_map(folder).filter(is_shared).map(Path::to_owned).collect();
        Some(Self { shared, own, others: others.len() })
    }
}

/// Where a crate of the project lies; `None`: it is another's.
fn folder(line: &str) -> Option<&Path> {
    let (_, rest) = line.split_once(" (/")?;
    // The slash again.
    let start = line.len() - rest.len() - 1;
    line[start..].strip_suffix(')').map(Path::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_and_each_crate_counts_once() {
        let text = "one-server v0.1.0 (/p/servers/one)\nlaunch v0.1.0 (/p/servers/launch)\nbytes v1.12.0\n\
                    sse v0.1.0 (/p/sse)\nbytes v1.12.0 (*)\nserde_derive v1.0.0 (proc-macro)\nbytes v0.5.0\n";
        let tree = Tree::read(text).expect("a tree");
        assert_eq!((tree.own, tree.others), (PathBuf::from("/p/servers/one"), 3));
        assert_eq!(tree.shared.into_iter().collect::<Vec<_>>(), [Path::new("/p/sse")]);
    }
}
