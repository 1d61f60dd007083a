//! Makes the tables of harness/METHOD.md that hold the measurements against known truths, from the records in
//! results/truth. `scripts/truth.sh` and `scripts/compare-demo.sh` take those.

mod document;
mod study;
mod tables;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use harness::compare::{Finding, compare};
use harness::results::read;

use document::Document;

/// Holds the measurements against known truths.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put the tables into harness/METHOD.md.
    Tables {
        /// The project's folder.
        #[arg(long, value_name = "DIR", default_value = ".")]
        root: PathBuf,
        /// Write nothing; fail if a table is not what the records give.
        #[arg(long)]
        check: bool,
    },
    /// Keep of a run of many rounds what the study of estimators needs, in results/truth/rounds.jsonl.
    Rounds {
        /// The run's results.
        results: PathBuf,
        /// The project's folder.
        #[arg(long, value_name = "DIR", default_value = ".")]
        root: PathBuf,
    },
    /// Keep what each tool said of known delays, in results/truth/tools.jsonl.
    Told {
        /// The run's results.
        results: PathBuf,
        /// The folder of what the servers gave: `CONTENDER.given`.
        #[arg(long, value_name = "DIR")]
        given: PathBuf,
        /// The project's folder.
        #[arg(long, value_name = "DIR", default_value = ".")]
        root: PathBuf,
    },
    /// Print a tenth of the CPU time that a message took `truth` in a run, in ns.
    Tenth {
        /// The run's results.
        results: PathBuf,
    },
}

const RECORDS: &str = "results/truth";

/// Makes a table from a file of records.
type Table = fn(&Path) -> Result<String, Box<dyn Error>>;

/// Each table's name, the file of its records in results/truth, and what makes it.
const TABLES: [(&str, &str, Table); 5] = [
    ("delays", "delays.jsonl", tables::delays),
    ("known delays by tool", "tools.jsonl", tables::tools),
    ("stalls", "stalls.jsonl", tables::stalls),
    ("changes", "changes.json", tables::changes),
    ("estimators", "rounds.jsonl", study::table),
];

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Tables { root, check } => tabulate(&root, check),
        Command::Rounds { results, root } => study::keep(&results, &root.join(RECORDS).join("rounds.jsonl")),
        Command::Told { results, given, root } => keep_told(&results, &given, &root),
        Command::Tenth { results } => tenth(&results),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tabulate(root: &Path, check: bool) -> Result<(), Box<dyn Error>> {
    let mut document = Document::read(root.join("harness/METHOD.md"))?;
    for (name, file, table) in TABLES {
        let file = root.join(RECORDS).join(file);
        let text = if file.exists() { table(&file)? } else { "Not measured yet.\n".to_owned() };
        document.put(name, &text)?;
    }
    if !check {
        return document.write();
    }
    if document.is_changed() {
        return Err("harness/METHOD.md does not show what results/truth holds: `cargo run -p truth tables` puts it there".into());
    }
    Ok(())
}

fn keep_told(results: &Path, given: &Path, root: &Path) -> Result<(), Box<dyn Error>> {
    let run = read(results).map_err(|error| format!("{error:#}"))?;
    fs::write(root.join(RECORDS).join("tools.jsonl"), tables::told(&run, given)?)?;
    Ok(())
}

fn tenth(results: &Path) -> Result<(), Box<dyn Error>> {
    let run = read(results).map_err(|error| format!("{error:#}"))?;
    // A run compared with itself: its figures.
    let rows = compare(&run, &run).rows;
    let row = rows.iter().find(|row| row.contender == tables::CONTENDER && row.figure == tables::FIGURE);
    match row.map(|row| &row.finding) {
        Some(Finding::NoDifferenceSeen(change)) => println!("{:.0}", change.before * 1e3 / 10.0),
        _ => return Err(format!("{} has no CPU time of {}", results.display(), tables::CONTENDER).into()),
    }
    Ok(())
}
