//! Puts what was measured of the load generator into its README: each table is made of the records in `measured/`, which the
//! scripts write. `tables` writes, and `tables --check` says whether the README is what the records say.

mod capacity;
mod engines;
mod gaps;
mod lateness;
mod ratios;
mod records;
mod spread;
mod threads;

use std::error::Error;
use std::fs;
use std::path::Path;

use records::Records;

/// A table: the name of its records and of its markers, the script that measures it, and how its rows are made.
type Table = (&'static str, &'static str, fn(&Records) -> Result<String, Box<dyn Error>>);

const TABLES: [Table; 6] = [
    ("engines", "scripts/engines.sh", engines::table),
    ("ratios", "scripts/loadgen-ratios.sh", ratios::table),
    ("lateness", "scripts/lateness.sh", lateness::table),
    ("gaps", "scripts/lateness.sh", gaps::table),
    ("threads", "scripts/lateness.sh", threads::table),
    ("capacity", "scripts/capacity.sh", capacity::table),
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("README.md");
    let before = fs::read_to_string(&path)?;
    let mut after = before.clone();
    for (name, script, table) in TABLES {
        let block = match Records::read(&root.join("measured").join(format!("{name}.jsonl")))? {
            Some(records) => format!("{}\n\n{}", records.taken(), table(&records)?),
            None => format!("Not measured yet: `{script}` does.\n"),
        };
        after = replaced(&after, name, script, &block)?;
    }
    if after == before {
        return Ok(());
    }
    if std::env::args().nth(1).as_deref() == Some("--check") {
        let remedy = "`cargo run -p loadgen --example tables` writes them";
        return Err(format!("{}: its tables are not those of the records: {remedy}", path.display()).into());
    }
    Ok(fs::write(path, after)?)
}

/// The text with this block between the markers of this name.
fn replaced(text: &str, name: &str, script: &str, block: &str) -> Result<String, String> {
    let (begin, end) =
        (format!("<!-- {name}: begin ({script} writes this) -->\n"), format!("<!-- {name}: end -->"));
    let missing = |marker: &str| format!("README.md has no line {}", marker.trim_end());
    let (head, rest) = text.split_once(&begin).ok_or_else(|| missing(&begin))?;
    let (_, tail) = rest.split_once(&end).ok_or_else(|| missing(&end))?;
    Ok(format!("{head}{begin}\n{block}\n{end}{tail}"))
}
