//! Results that were damaged, cut off, edited or written by a later version are refused, and it is said what they look like.

mod support;

use std::fs;
use std::path::PathBuf;

use harness::results::{Broken, Header, Journal, Run, SCHEMA, Trial, latest, read, save};
use support::old_results;
use tempfile::TempDir;

/// A small run of this version: two trials.
fn run() -> Run {
    let mut run = old_results();
    run.header.schema = SCHEMA;
    run.trials.truncate(2);
    run
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("run.json")
    }

    fn journal(&self) -> PathBuf {
        self.0.path().join("journal.jsonl")
    }

    /// The text of a saved run.
    fn saved(&self) -> String {
        save(&self.file(), &run()).expect("saved");
        fs::read_to_string(self.file()).expect("text")
    }

    /// How a file of these bytes is refused; `None` if it is not.
    fn refused(&self, bytes: impl AsRef<[u8]>) -> Option<Broken> {
        fs::write(self.file(), bytes).expect("written");
        let error = read(&self.file()).err()?;
        let said = format!("{error:#}");
        assert!(said.contains("run.json"), "{said}");
        Some(error.downcast().expect("what happened to it"))
    }

    /// The bytes of a journal with a run's trials.
    fn journalled(&self, Run { header, trials, .. }: &Run) -> Vec<u8> {
        let mut journal = Journal::create(&self.journal(), header).expect("a journal");
        trials.iter().for_each(|trial| journal.append(trial).expect("appended"));
        fs::read(self.journal()).expect("bytes")
    }
}

fn slots(trials: &[Trial]) -> Vec<&harness::plan::Slot> {
    trials.iter().map(|trial| &trial.slot).collect()
}

#[test]
fn a_saved_run_is_read_as_it_was() {
    let folder = Folder::new();
    let text = folder.saved();
    let again = read(&folder.file()).expect("unbroken");
    assert_eq!(slots(&again.trials), slots(&run().trials));
    save(&folder.file(), &again).expect("saved");
    assert_eq!(fs::read_to_string(folder.file()).expect("text"), text);
}

#[test]
fn a_file_cut_off_anywhere_is_refused_and_said_to_be_cut_off() {
    let folder = Folder::new();
    let text = folder.saved();
    let body = text.rfind(",\n  \"digest\"").expect("a digest");
    for length in (0..text.len()).step_by(37).chain([text.len() - 1]) {
        let broken = folder.refused(&text.as_bytes()[..length]).expect("cut off");
        if length < body {
            assert!(matches!(broken, Broken::CutOff { .. }), "{length}: {broken:?}");
        }
    }
}

#[test]
fn an_edit_a_missing_digest_and_a_later_version_are_told_apart() {
    let folder = Folder::new();
    let text = folder.saved();
    let seed = format!("\"seed\": {}", run().header.seed);
    assert!(text.contains(&seed));
    assert_eq!(folder.refused(text.replace(&seed, "\"seed\": 4290663946")), Some(Broken::Changed));
    assert!(matches!(folder.refused(text.replace(&seed, "\"seed\": 1")), Some(Broken::Edited { .. })));
    let reformatted: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(folder.refused(reformatted.to_string()), Some(Broken::Unsealed { schema: SCHEMA }));
    let bare = serde_json::to_string_pretty(&run()).expect("JSON");
    assert_eq!(folder.refused(bare), Some(Broken::Unsealed { schema: SCHEMA }));
    let later = text.replace(&format!("\"schema\": {SCHEMA}"), "\"schema\": 99");
    assert_eq!(folder.refused(later), Some(Broken::OtherVersion { schema: 99 }));
    assert!(matches!(folder.refused("# a table"), Some(Broken::NotJson { line: 1, .. })));
}

#[test]
fn a_broken_file_does_not_keep_the_latest_from_being_found() {
    let folder = Folder::new();
    folder.saved();
    let root = folder.0.path();
    fs::write(root.join("zzz.json"), "{\"schema\": 2, half a fi").expect("written");
    fs::write(root.join("schema.json"), "{}").expect("written");
    let found = latest(root).expect("one is whole");
    assert_eq!(found.file, folder.file());
    let [broken] = found.passed_over.as_slice() else { panic!("{:?}", found.passed_over) };
    assert!(format!("{broken:#}").contains("zzz.json"), "{broken:#}");
    fs::remove_file(folder.file()).expect("removed");
    let error = latest(root).expect_err("none is left").to_string();
    assert!(error.contains("no results") && error.contains("zzz.json"), "{error}");
}

#[test]
fn the_line_of_a_journal_that_was_damaged_is_named() {
    let folder = Folder::new();
    let bytes = folder.journalled(&run());
    let mut start = 0;
    for (number, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        // Without its end the last line would be one that was being written.
        for place in (0..line.len() - 1).step_by(29) {
            let mut damaged = bytes.clone();
            damaged[start + place] ^= 1 << (place % 8);
            fs::write(folder.journal(), damaged).expect("written");
            let error = read(&folder.journal()).expect_err("damaged").to_string();
            assert!(error.contains(&format!("journal.jsonl, line {}", number + 1)), "{place}: {error}");
            assert!(Journal::resume(&folder.journal()).is_err());
        }
        start += line.len();
    }
}

#[test]
fn a_journal_cut_off_anywhere_keeps_its_whole_lines() {
    let folder = Folder::new();
    let run = run();
    let bytes = folder.journalled(&run);
    let header_length = bytes.iter().position(|&byte| byte == b'\n').expect("a line") + 1;
    for length in (header_length..bytes.len()).step_by(97).chain([bytes.len()]) {
        fs::write(folder.journal(), &bytes[..length]).expect("written");
        let whole = bytes[header_length..length].iter().filter(|&&byte| byte == b'\n').count();
        let torn = bytes[length - 1] != b'\n';
        let cut_off = read(&folder.journal()).expect("readable");
        assert_eq!(slots(&cut_off.trials), slots(&run.trials[..whole]));
        assert_eq!(cut_off.header.notes.iter().any(|note| note.contains("torn")), torn, "{length}");
        let (journal, was_torn) = Journal::resume(&folder.journal()).expect("readable");
        assert_eq!((journal.trials().len(), was_torn), (whole, torn), "{length}");
    }
    assert!(
        Journal::create(&folder.journal(), &run.header).is_err(),
        "another run's journal is not overwritten"
    );
}

#[test]
fn a_journal_of_another_version_is_not_gone_on_with() {
    let folder = Folder::new();
    let run = run();
    let header = Header { schema: SCHEMA + 1, ..run.header };
    folder.journalled(&Run { header, ..run });
    let error = read(&folder.journal()).expect_err("later").to_string();
    assert!(error.contains(&format!("schema {}", SCHEMA + 1)), "{error}");
}
