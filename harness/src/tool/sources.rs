use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The packages that the load generator is made of, itself first.
const PACKAGES: [&str; 3] = ["harness/loadgen", "framing", "sse"];
/// Hexadecimal digits that are kept: enough to tell some thousand versions apart.
const DIGITS: usize = 12;

/// A digest of the load generator's sources: the beginning of the SHA-256 of their names and contents. Its version tells
/// what it was published as, and this what it was built from. `None` where they cannot be read.
#[must_use]
pub fn sources(root: &Path) -> Option<String> {
    let mut digest = Sha256::new();
    for package in PACKAGES {
        let mut files = Vec::new();
        list(&root.join(package).join("src"), &mut files).ok()?;
        files.push(root.join(package).join("Cargo.toml"));
        files.sort();
        for file in files {
            digest.update(file.strip_prefix(root).ok()?.to_string_lossy().as_bytes());
            let bytes = fs::read(&file).ok()?;
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        }
    }
    let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(hex[..DIGITS].to_owned())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_source_is_another_load_generator_and_the_same_in_another_folder_is_not() {
        let project = |line: &str| {
            let folder = tempfile::tempdir().expect("a folder");
            for package in PACKAGES {
                let sources = folder.path().join(package).join("src/part");
                fs::create_dir_all(&sources).expect("folders");
                fs::write(sources.join("line.rs"), line).expect("written");
                fs::write(folder.path().join(package).join("Cargo.toml"), "").expect("written");
            }
            sources(folder.path()).expect("sources")
        };
        assert_eq!(project("one"), project("one"));
        assert_ne!(project("one"), project("other"));
        assert_eq!(project("one").len(), DIGITS);
        assert_eq!(sources(Path::new("/nowhere")), None);
    }

    #[test]
    fn all_of_its_own_packages_are_known() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        assert!(sources(&root).is_some());
        let manifest = fs::read_to_string(root.join("harness/loadgen/Cargo.toml")).expect("a manifest");
        let workspace = fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
        let needed =
            manifest.split("[dependencies]").nth(1).and_then(|text| text.split("\n[").next()).expect("some");
        // Those of the workspace's dependencies that are its own have a path.
        let own = workspace.lines().filter_map(|line| line.split_once(" = { path = \""));
        for (name, path) in own.filter(|(name, _)| needed.contains(&format!("\n{name}."))) {
            let path = path.split('"').next().expect("a path");
            assert!(PACKAGES.contains(&path), "{name}, in {path}");
        }
    }
}
