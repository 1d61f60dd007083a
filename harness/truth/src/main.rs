//! Makes the tables of harness/METHOD.md that hold the measurements against known truths, from the records in
//! results/truth, which `scripts/truth.sh` takes.

mod document;
mod tables;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use document::Document;

/// Puts the tables into harness/METHOD.md.
#[derive(Debug, Parser)]
struct Options {
    /// The project's folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
    /// Write nothing; fail if a table is not what the records give.
    #[arg(long)]
    check: bool,
}

/// Makes a table from a file of records.
type Table = fn(&Path) -> Result<String, Box<dyn Error>>;

/// Each table's name, the file of its records in results/truth, and what makes it.
const TABLES: [(&str, &str, Table); 2] =
    [("delays", "delays.jsonl", tables::delays), ("stalls", "stalls.jsonl", tables::stalls)];

fn main() -> ExitCode {
    match tabulate(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!(
                "harness/METHOD.md does not show what results/truth holds: `cargo run -p truth` puts it there"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Is the document as it should be at the end?
fn tabulate(options: &Options) -> Result<bool, Box<dyn Error>> {
    let records = options.root.join("results/truth");
    let mut document = Document::read(options.root.join("harness/METHOD.md"))?;
    for (name, file, table) in TABLES {
        let file = records.join(file);
        let text = if file.exists() {
            table(&file)?
        } else {
            "Not measured yet: the script above does it.\n".to_owned()
        };
        document.put(name, &text)?;
    }
    if options.check {
        return Ok(!document.is_changed());
    }
    document.write()?;
    Ok(true)
}
