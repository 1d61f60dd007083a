//! Where the project lies.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::cli::Shared;

/// The folders and files that the commands use.
#[derive(Debug, Clone)]
pub struct Root {
    root: PathBuf,
    servers: PathBuf,
    /// Folder of the built binaries: the one that this program is in.
    pub bin: PathBuf,
}

impl Root {
    /// Finds the project: `--root`, or the nearest folder at or above the current one that holds it.
    ///
    /// # Errors
    /// No such folder.
    pub fn find(shared: &Shared) -> Result<Self> {
        let is_root = |folder: &Path| folder.join("harness/profiles").is_dir();
        let root = match &shared.root {
            Some(given) if is_root(given) => given.clone(),
            Some(given) => {
                bail!("{} is not the project's folder: it has no harness/profiles", given.display())
            }
            None => {
                let here = std::env::current_dir().context("failed to read the current folder")?;
                match here.ancestors().find(|folder| is_root(folder)) {
                    Some(found) => found.to_owned(),
                    None => bail!(
                        "neither {} nor a folder above it holds the project; go there, or give --root DIR",
                        here.display()
                    ),
                }
            }
        };
        let root = root.canonicalize().with_context(|| format!("failed to resolve {}", root.display()))?;
        let program = std::env::current_exe().context("failed to find this program's own file")?;
        let bin = program.parent().context("this program has no folder")?.to_owned();
        Ok(Self { servers: root.join(&shared.servers), root, bin })
    }

    /// The project's folder, from which manifests' commands run.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Folder of the contenders.
    #[must_use]
    pub fn servers(&self) -> &Path {
        &self.servers
    }

    /// Folder of the profiles.
    #[must_use]
    pub fn profiles(&self) -> PathBuf {
        self.root.join("harness/profiles")
    }

    /// Folder of the results, relative names taken from the project's folder.
    #[must_use]
    pub fn results(&self, folder: &Path) -> PathBuf {
        self.root.join(folder)
    }

    /// The cargo profile that this program was built with, and so the contenders are.
    #[must_use]
    pub fn cargo_profile(&self) -> &str {
        match self.bin.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(name) => name,
        }
    }
}
