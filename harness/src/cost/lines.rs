use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Lines of code, by what their files are for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub all: usize,
    pub websocket: usize,
    pub event_stream: usize,
}

impl Lines {
    /// Of all files of a folder and those below it whose names end so; tests are left out.
    pub fn of(folder: &Path, end: &str) -> Result<Self> {
        let mut lines = Self::default();
        for file in files(folder)? {
            let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if file.extension().is_none_or(|other| other != end) || name == "tests" {
                continue;
            }
            let text =
                fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
            let code = code_lines(&text);
            lines.all += code;
            match name {
                "ws" | "websocket" => lines.websocket += code,
                "sse" | "stream" | "event_stream" => lines.event_stream += code,
                _ => {}
            }
        }
        Ok(lines)
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = || format!("failed to read the folder {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Neither blank nor a comment, tests at the end of a file left out. A block comment's lines count: the house has none.
fn code_lines(text: &str) -> usize {
    let until_tests = text.lines().map(str::trim).take_while(|line| *line != "#[cfg(test)]");
    until_tests.filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("# ")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_comments_and_tests_are_no_code() {
        let text = "//! About.\n\nuse a; // here\n/// Of it.\nfn f() {\n\n}\n#[cfg(test)]\nmod tests {}\n";
        assert_eq!(code_lines(text), 3);
    }

    #[test]
    fn files_count_by_what_they_are_for() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("main.rs", "a\nb\n"), ("ws.rs", "c\n"), ("tests.rs", "d\n"), ("note.md", "e\n")]
        {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        fs::create_dir(folder.path().join("in")).expect("a folder");
        fs::write(folder.path().join("in/stream.rs"), "f\n").expect("a file");
        let lines = Lines::of(folder.path(), "rs").expect("read");
        assert_eq!(lines, Lines { all: 4, websocket: 1, event_stream: 1 });
    }
}
