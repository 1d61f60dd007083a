use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{Header, Run, Trial};

/// Every trial on disk the moment it ends: a JSON line each, behind one of the header.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// What it holds: should the file be lost, the results are not.
    header: Header,
    trials: Vec<Trial>,
}

impl Journal {
    /// Begins a journal.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn create(path: &Path, header: &Header) -> Result<Self> {
        let file = File::create_new(path).with_context(|| format!("failed to create {}", path.display()))?;
        lock(&file, path)?;
        let mut journal = Self { path: path.to_owned(), file, header: header.clone(), trials: Vec::new() };
        journal.write_line(&serde_json::to_string(header)?)?;
        Ok(journal)
    }

    /// Goes on with a journal that was cut off: what it holds, and the place for the rest. A torn last line is cut
    /// away; `true` if there was one.
    ///
    /// # Errors
    /// Another run is writing it, or it cannot be read.
    pub fn resume(path: &Path) -> Result<(Self, Header, Vec<Trial>, bool)> {
        let failed = || format!("failed to open the journal {}", path.display());
        let mut file = OpenOptions::new().read(true).append(true).open(path).with_context(failed)?;
        lock(&file, path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).with_context(failed)?;
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).with_context(failed)?;
        let (header, trials) = Self::read(path)?;
        let journal = Self { path: path.to_owned(), file, header: header.clone(), trials: trials.clone() };
        Ok((journal, header, trials, whole < text.len()))
    }

    /// Adds a trial; on disk when this returns.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn append(&mut self, trial: &Trial) -> Result<()> {
        self.trials.push(trial.clone());
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
    #[must_use]
    pub fn to_run(&self, finished_at: String) -> Run {
        Run { header: self.header.clone(), finished_at, trials: self.trials.clone() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write_line(&mut self, line: &str) -> Result<()> {
        let write = |file: &mut File| {
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_data()
        };
        write(&mut self.file).with_context(|| format!("failed to write {}", self.path.display()))
    }
}

/// Two runs must not write one file. The lock ends with the process.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => bail!("another run is writing {}", path.display()),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("failed to lock {}", path.display()))
        }
    }
}
