use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{Header, Run, Trial};

/// Every trial on disk the moment it ends: a JSON line each, behind one of the header.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Begins a journal.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn create(path: &Path, header: &Header) -> Result<Self> {
        let file = File::create_new(path).with_context(|| format!("failed to create {}", path.display()))?;
        let mut journal = Self { path: path.to_owned(), file };
        journal.write_line(&serde_json::to_string(header)?)?;
        Ok(journal)
    }

    /// Adds a trial; on disk when this returns.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn append(&mut self, trial: &Trial) -> Result<()> {
        self.write_line(&serde_json::to_string(trial)?)
    }

    /// Reads a journal. A last line without its end was being written when the run was cut off, and is dropped.
    ///
    /// # Errors
    /// It cannot be read, or a line is malformed: which.
    pub fn read(path: &Path) -> Result<(Header, Vec<Trial>)> {
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let at = |number: usize| format!("{}, line {}", path.display(), number + 1);
        let mut lines = whole.lines().enumerate();
        let (_, first) = lines.next().with_context(|| format!("{} is empty", path.display()))?;
        let header = serde_json::from_str(first).with_context(|| at(0))?;
        let trials = lines
            .map(|(number, line)| serde_json::from_str(line).with_context(|| at(number)))
            .collect::<Result<_>>()?;
        Ok((header, trials))
    }

    /// The run as far as it has come.
    ///
    /// # Errors
    /// As [`Journal::read`].
    pub fn to_run(&self, finished_at: String) -> Result<Run> {
        let (header, trials) = Self::read(&self.path)?;
        Ok(Run { header, finished_at, trials })
    }

    fn write_line(&mut self, line: &str) -> Result<()> {
        let write = |file: &mut File| {
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_data()
        };
        write(&mut self.file).with_context(|| format!("failed to write {}", self.path.display()))
    }
}
