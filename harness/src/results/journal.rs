use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{Header, Run, SCHEMA, Trial};

/// Every trial on disk the moment it ends: a JSON line each, behind one of the header. Each line carries a checksum.
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
        journal.append_line(&serde_json::to_string(header)?)?;
        Ok(journal)
    }

    /// Goes on with a journal that was cut off. A torn last line is cut away; `true` if there was one.
    ///
    /// # Errors
    /// Another run is writing it, it cannot be read, or a line is damaged: which.
    pub fn resume(path: &Path) -> Result<(Self, bool)> {
        let failed = || format!("failed to open the journal {}", path.display());
        let mut file = OpenOptions::new().read(true).append(true).open(path).with_context(failed)?;
        lock(&file, path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(failed)?;
        let whole = whole_lines(&bytes);
        let (header, trials) = parse(whole, path)?;
        file.set_len(whole.len() as u64).with_context(failed)?;
        let torn = whole.len() < bytes.len();
        Ok((Self { path: path.to_owned(), file, header, trials }, torn))
    }

    /// Adds a trial; on disk when this returns.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn append(&mut self, trial: &Trial) -> Result<()> {
        self.trials.push(trial.clone());
        self.append_line(&serde_json::to_string(trial)?)
    }

    /// Reads the journal of a run that was cut off. A last line without its end was then being written: it is dropped,
    /// and a note of the run says so.
    ///
    /// # Errors
    /// It cannot be read, or a line is damaged: which.
    pub fn read(path: &Path) -> Result<Run> {
        let bytes = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
        let whole = whole_lines(&bytes);
        let (mut header, trials) = parse(whole, path)?;
        if whole.len() < bytes.len() {
            header.notes.push("The last line of the journal was torn, and is dropped.".to_owned());
        }
        let finished_at = trials.last().map_or(&header.started_at, |trial| &trial.started_at).clone();
        Ok(Run { header, finished_at, trials })
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

    /// What it holds that was known before the first trial.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The trials that it holds.
    #[must_use]
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    fn append_line(&mut self, entry: &str) -> Result<()> {
        let line = line(entry);
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.with_context(|| format!("failed to write {}", self.path.display()))
    }
}

/// A line: the entry, behind the CRC-32 of its bytes (ISO 3309, as in gzip) in eight hexadecimal digits.
fn line(entry: &str) -> String {
    format!("{CHECKSUM}{:08x}{ENTRY}{entry}}}\n", crc32fast::hash(entry.as_bytes()))
}

const CHECKSUM: &str = "{\"crc32\":\"";
const ENTRY: &str = "\",\"entry\":";

/// The entry of a line, if it is what was written.
fn entry(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, entry) = text.strip_suffix("}\n")?.split_once(ENTRY)?;
    (line(entry) == text).then_some(entry)
}

/// All but a last line that has no end.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1)]
}

fn parse(whole: &[u8], path: &Path) -> Result<(Header, Vec<Trial>)> {
    let mut entries = whole.split_inclusive(|&byte| byte == b'\n').zip(1..).map(|(text, number)| {
        let at = format!("{}, line {number}", path.display());
        match entry(text) {
            Some(entry) => Ok((entry, at)),
            None => bail!(
                "{at}: damaged, or changed after it was written; without this line its trial is taken again, and without \
                 line 1 the run must begin anew"
            ),
        }
    });
    let (first, at) = entries.next().with_context(|| format!("{} is empty", path.display()))??;
    let header: Header = serde_json::from_str(first).context(at)?;
    if header.schema != SCHEMA {
        bail!("{} is of schema {}: go on with the version that began it", path.display(), header.schema);
    }
    let trials = entries.map(|entry| {
        let (text, at) = entry?;
        serde_json::from_str(text).context(at)
    });
    Ok((header, trials.collect::<Result<_>>()?))
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
