use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use conformance::PATHS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::suggestion;
use crate::plan::Load;
use crate::root::Root;

/// A server under test: `contender.toml` in a folder of `servers/`.
///
/// In the commands, `{profile}` stands for the cargo profile in use and `{bin}` for the folder of built
/// binaries; they run from the project's folder.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contender {
    /// Name, the same as its folder's.
    pub name: String,
    /// What the tables' readers see: the framework and its major version.
    pub title: String,
    /// Programming language.
    pub language: String,
    /// Command that builds it; none for a script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub build: Vec<String>,
    /// Command that runs it.
    pub run: Vec<String>,
    /// What it serves ([`Load::SERVICES`]).
    pub serves: Vec<String>,
    /// Paths of the contract that it does not serve: their checks are skipped, and they must answer with an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_served: Vec<String>,
    /// Checks that its framework makes it fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Deviation>,
}

/// A check that a contender fails through no fault of its own, documented and not hidden.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Name of the check.
    pub check: String,
    /// What the framework does.
    pub because: String,
    /// Where that can be read.
    pub source: String,
}

/// All contenders in a folder, by name.
///
/// # Errors
/// The folder cannot be read, or a manifest is malformed: with file and line.
pub fn find_all(folder: &Path) -> Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    let entries = fs::read_dir(folder)
        .with_context(|| format!("failed to read the contenders' folder {}", folder.display()))?;
    for entry in entries {
        let file = entry?.path().join("contender.toml");
        if file.is_file() {
            contenders.push(read(&file)?);
        }
    }
    contenders.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(contenders)
}

/// The contenders of these names, in their order; all if there are no names.
///
/// # Errors
/// Also when a name is unknown: with the nearest.
pub fn find(folder: &Path, names: &[String]) -> Result<Vec<Contender>> {
    let all = find_all(folder)?;
    if all.is_empty() {
        bail!("no contender in {}: expected folders with a contender.toml", folder.display());
    }
    if names.is_empty() {
        return Ok(all);
    }
    let mut chosen: Vec<Contender> = Vec::new();
    for name in names {
        match all.iter().find(|contender| contender.name == *name) {
            Some(found) if chosen.contains(found) => {}
            Some(found) => chosen.push(found.clone()),
            None => bail!("no contender {name}: {}", suggestion(name, all.iter().map(|c| c.name.as_str()))),
        }
    }
    Ok(chosen)
}

fn read(file: &Path) -> Result<Contender> {
    let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    let malformed = || format!("malformed manifest {}", file.display());
    let contender: Contender = toml::from_str(&text).with_context(malformed)?;
    let folder = file.parent().and_then(Path::file_name).unwrap_or_default();
    if folder != contender.name.as_str() {
        let folder = folder.display();
        return Err(anyhow::anyhow!("name = {:?}: expected its folder's name, {folder}", contender.name))
            .with_context(malformed);
    }
    let refuse = |reason: String| Err(anyhow::anyhow!(reason)).with_context(malformed);
    if contender.name.contains(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-') {
        return refuse(format!("name = {:?}: expected a-z, 0-9 and dashes", contender.name));
    }
    if let Some(unknown) = contender.serves.iter().find(|name| !Load::SERVICES.contains(&name.as_str())) {
        return refuse(format!("serves {unknown:?}: {}", suggestion(unknown, Load::SERVICES)));
    }
    let is_check = |name: &str| conformance::checks().iter().any(|check| check.name == name);
    if let Some(Deviation { check, .. }) =
        contender.deviations.iter().find(|deviation| !is_check(&deviation.check))
    {
        let known = conformance::checks().iter().map(|check| check.name);
        return refuse(format!("no check {check}: {}", suggestion(check, known)));
    }
    if let Some(unknown) = contender.not_served.iter().find(|path| !PATHS.contains(&path.as_str())) {
        return refuse(format!("not_served {unknown:?}: {}", suggestion(unknown, PATHS.iter().copied())));
    }
    if contender.run.is_empty() {
        return Err(anyhow::anyhow!("run = []: expected a command")).with_context(malformed);
    }
    Ok(contender)
}

impl Contender {
    /// The build command with its placeholders filled in.
    #[must_use]
    pub fn build_command(&self, root: &Root) -> Vec<String> {
        fill(&self.build, root)
    }

    /// The run command with its placeholders filled in.
    #[must_use]
    pub fn run_command(&self, root: &Root) -> Vec<String> {
        fill(&self.run, root)
    }

    /// Does it serve all that a load asks for?
    #[must_use]
    pub fn takes(&self, load: &Load) -> bool {
        load.services().iter().all(|service| self.serves(service))
    }

    /// Does it serve this, one of [`Load::SERVICES`]?
    #[must_use]
    pub fn serves(&self, service: &str) -> bool {
        self.serves.iter().any(|served| served == service)
    }
}

fn fill(command: &[String], root: &Root) -> Vec<String> {
    let bin = root.bin.to_string_lossy();
    command
        .iter()
        .map(|word| word.replace("{profile}", root.cargo_profile()).replace("{bin}", &bin))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(manifests: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in manifests {
            fs::create_dir(folder.path().join(name)).expect("a folder");
            fs::write(folder.path().join(name).join("contender.toml"), text).expect("a file");
        }
        folder
    }

    fn manifest(name: &str) -> String {
        format!("name = {name:?}\ntitle = \"T\"\nlanguage = \"sh\"\nrun = [\"true\"]\nserves = [\"echo\"]\n")
    }

    #[test]
    fn contenders_are_found_by_name_and_an_unknown_name_gets_the_nearest() {
        let folder = folder(&[("b", &manifest("b")), ("actix", &manifest("actix"))]);
        let names = |contenders: Vec<Contender>| contenders.into_iter().map(|c| c.name).collect::<Vec<_>>();
        assert_eq!(names(find(folder.path(), &[]).expect("all")), ["actix", "b"]);
        assert_eq!(names(find(folder.path(), &["b".into(), "b".into()]).expect("b")), ["b"]);
        let error = find(folder.path(), &["actxi".into()]).expect_err("unknown");
        assert!(error.to_string().contains("did you mean actix?"), "{error}");
    }

    #[test]
    fn a_malformed_manifest_is_refused_with_file_line_and_expectation() {
        for (text, expected) in [
            (manifest("a").replace("[\"true\"]", "\"true\""), "line 4"),
            (manifest("a").replace("title", "tilte"), "unknown field `tilte`"),
            (manifest("b"), "expected its folder's name, a"),
            (manifest("a").replace("[\"true\"]", "[]"), "expected a command"),
            (manifest("a") + "not_served = [\"/see\"]\n", "did you mean /sse?"),
        ] {
            let folder = folder(&[("a", &text)]);
            let error = format!("{:#}", find_all(folder.path()).expect_err("malformed"));
            assert!(error.contains("contender.toml") && error.contains(expected), "{error}");
        }
    }
}
