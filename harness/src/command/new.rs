//! `harness new`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::output::out;
use crate::cli::{Exit, NewOptions, Shared};
use crate::contender::{Contender, find};
use crate::root::Root;

/// Makes the folder of a contender out of another's: copied, by its own name, and known to the workspace.
///
/// # Errors
/// There is no such other, the name is none or taken, or the disk does not take the folder.
pub fn new(shared: &Shared, options: &NewOptions) -> Result<Exit> {
    let root = Root::find(shared)?;
    let NewOptions { name, from } = options;
    let other = find(root.servers(), std::slice::from_ref(from))?.remove(0);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(allowed) {
        bail!("no name for a contender: {name:?}: expected a-z, 0-9 and dashes, a letter first");
    }
    let folder = root.servers().join(name);
    if folder.exists() {
        bail!("{} is there already: choose another name, or remove it", folder.display());
    }
    copy(&root.servers().join(from), &folder, &renamings(&other, name))?;
    if folder.join("Cargo.toml").exists() {
        lock(root.path());
    } else {
        exclude(root.path(), name)?;
    }
    out!("{}", folder.display());
    if folder.join("Cargo.toml").exists() {
        out!("Put your framework in. What still names {from}:");
        for line in left(&folder, from)? {
            out!("  {line}");
        }
    }
    out!("Then prove it: harness verify {name}");
    Ok(Exit::Done)
}

/// What is to be replaced in each file, and by what.
fn renamings(other: &Contender, name: &str) -> Vec<(String, String)> {
    let from = &other.name;
    let package = other.build.iter().skip_while(|word| *word != "-p").nth(1);
    let mut renamings: Vec<(String, String)> =
        package.map(|package| (package.clone(), format!("{name}-server"))).into_iter().collect();
    renamings.push((format!("{from}-server"), format!("{name}-server")));
    renamings.push((format!("servers/{from}/"), format!("servers/{name}/")));
    renamings.push((format!("title = \"{}\"", other.title), format!("title = \"{name}\"")));
    // A contender's name, not its framework's, which may be the same word.
    for naming in
        ["name = \"\"", "name(\"\")", "App::new(\"\"", "\"contender\": \"\"", "\"--contender\", \"\""]
    {
        let named = |name: &str| {
            let (before, after) = naming.rsplit_once("\"\"").unwrap_or((naming, ""));
            format!("{before}\"{name}\"{after}")
        };
        renamings.push((named(from), named(name)));
    }
    // One whose new name contains the old one must not be renamed twice.
    renamings.dedup();
    renamings
}

fn copy(from: &Path, to: &Path, renamings: &[(String, String)]) -> Result<()> {
    let failed = || format!("failed to copy {} to {}", from.display(), to.display());
    fs::create_dir(to).with_context(failed)?;
    for entry in fs::read_dir(from).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target, renamings)?;
            continue;
        }
        let bytes = fs::read(&source).with_context(failed)?;
        let renamed = match String::from_utf8(bytes) {
            Ok(text) => rename(&text, renamings).into_bytes(),
            Err(binary) => binary.into_bytes(),
        };
        fs::write(&target, renamed).with_context(failed)?;
        fs::set_permissions(&target, fs::metadata(&source)?.permissions()).with_context(failed)?;
    }
    Ok(())
}

/// The lines that still name the other contender, mostly as its framework: the compiler would not find all of them.
fn left(folder: &Path, from: &str) -> Result<Vec<String>> {
    let failed = || format!("failed to read {}", folder.display());
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        if path.is_dir() {
            lines.extend(left(&path, from)?);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let naming = text.lines().zip(1..).filter(|(line, _)| line.contains(from));
            lines
                .extend(naming.map(|(line, number)| format!("{}:{number}: {}", path.display(), line.trim())));
        }
    }
    lines.sort();
    Ok(lines)
}

/// Replaces what is found first, at each place once: what was put in is not looked at again.
fn rename(text: &str, renamings: &[(String, String)]) -> String {
    let mut renamed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = renamings.iter().find(|(old, _)| rest.starts_with(old.as_str()));
        let (taken, put) = match found {
            Some((old, new)) => (old.len(), new.as_str()),
            None => (first.len_utf8(), &rest[..first.len_utf8()]),
        };
        renamed.push_str(put);
        rest = &rest[taken..];
    }
    renamed
}

/// Tells cargo of a folder in `servers/` that is no package.
fn exclude(root: &Path, name: &str) -> Result<()> {
    const BEGIN: &str = "\nexclude = [";
    let file = root.join("Cargo.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
    let Some((before, after)) = text.split_once(BEGIN) else {
        bail!("{} has no line that begins with exclude: name \"servers/{name}\" there", file.display());
    };
    fs::write(&file, format!("{before}{BEGIN}\"servers/{name}\", {after}"))
        .with_context(|| format!("failed to write {}", file.display()))
}

/// Has cargo enter the new package in the lock file: contenders are built with `--locked`.
fn lock(root: &Path) {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--offline", "--format-version", "1"]).current_dir(root);
    let locked = cargo.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !locked.is_ok_and(|status| status.success()) {
        out!("Cargo.lock does not have it yet: cargo metadata >/dev/null");
    }
}

#[cfg(test)]
mod tests {
    use super::rename;

    #[test]
    fn each_place_is_renamed_once_and_others_are_left() {
        let pairs = [("a-server", "a-b-server"), ("name(\"a\")", "name(\"a-b\")")];
        let renamings = pairs.map(|(old, new)| (old.to_owned(), new.to_owned()));
        let text = "name(\"a\") of the a-server, (\"a\", 1) é";
        assert_eq!(rename(text, &renamings), "name(\"a-b\") of the a-b-server, (\"a\", 1) é");
    }
}
