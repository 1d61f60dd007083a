use std::error::Error;
use std::fmt;
use std::fs::read_to_string;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// One file of records: a line that says when and where they were taken, and a line each.
#[derive(Debug)]
pub struct Records {
    taken: Taken,
    lines: Vec<String>,
}

/// Where and when records were taken: what `record_of_the_machine` in `scripts/lib.sh` writes.
#[derive(Debug, Deserialize)]
pub struct Taken {
    date: String,
    cpu: String,
    cores: u64,
    kernel: String,
    congestion_control: String,
    open_files: String,
    commit: String,
    how: String,
}

impl Records {
    /// Those of a file; `None` if there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, Box<dyn Error>> {
        let text = match read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let mut lines = text.lines().map(str::to_owned);
        let taken = lines.next().ok_or_else(|| format!("{}: it is empty", path.display()))?;
        Ok(Some(Self { taken: serde_json::from_str(&taken)?, lines: lines.collect() }))
    }

    /// When and where they were taken.
    pub fn taken(&self) -> &Taken {
        &self.taken
    }

    /// The records, in the order in which they were taken.
    pub fn all<T: DeserializeOwned>(&self) -> Result<Vec<T>, serde_json::Error> {
        self.lines.iter().map(|line| serde_json::from_str(line)).collect()
    }

    /// The records, those of one kind together, kinds in the order of their first.
    pub fn grouped<T: DeserializeOwned, K: PartialEq>(
        &self,
        kind: impl Fn(&T) -> K,
    ) -> Result<Vec<Vec<T>>, serde_json::Error> {
        let mut groups: Vec<Vec<T>> = Vec::new();
        for record in self.all::<T>()? {
            match groups.iter_mut().find(|group| kind(&group[0]) == kind(&record)) {
                Some(group) => group.push(record),
                None => groups.push(vec![record]),
            }
        }
        Ok(groups)
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, cpu, cores, kernel, congestion_control, open_files, commit, how } = self;
        write!(
            f,
            "{how}. {date}, {cpu}, {cores} cores, Linux {kernel}, TCP {congestion_control}, {open_files} open files a \
             process, after commit {commit}."
        )
    }
}
