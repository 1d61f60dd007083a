use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Valgrind's version, by its own account.
///
/// # Errors
/// It is not there, or does not run: what to install.
pub fn valgrind_version() -> Result<String> {
    let how = "valgrind counts the instructions: install it with your package manager (Debian: apt-get install valgrind)";
    let output = Command::new("valgrind").arg("--version").output().context(how)?;
    if !output.status.success() {
        bail!("`valgrind --version`: {}; {how}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The command that runs `command` and has callgrind write into `file`, when it ends, what it executed in user space.
#[must_use]
pub fn under_callgrind(command: &[String], file: &Path) -> Vec<String> {
    let file = format!("--callgrind-out-file={}", file.display());
    let valgrind = ["valgrind", "--tool=callgrind", &file].map(String::from);
    valgrind.into_iter().chain(command.iter().cloned()).collect()
}

/// The number of instructions in a file of callgrind's.
///
/// # Errors
/// There is none: the program did not end by itself.
pub fn instructions(file: &Path) -> Result<u64> {
    let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    total(&text).with_context(|| format!("{} has no line `totals: N`", file.display()))
}

fn total(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("totals:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_as_callgrind_writes_it() {
        let text =
            "# callgrind format\nversion: 1\nevents: Ir\nsummary: 12\nfn=(1) main\n1 12\n\ntotals: 12\n";
        assert_eq!(total(text), Some(12));
        assert_eq!(total("events: Ir\ntotals: many\n"), None);
        assert_eq!(total(""), None);
    }

    #[test]
    fn the_command_is_wrapped_whole() {
        let words = under_callgrind(&["server".into(), "--port".into()], Path::new("/tmp/out"));
        assert_eq!(
            words,
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/tmp/out", "server", "--port"]
        );
    }
}
