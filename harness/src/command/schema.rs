//! `harness schema`.

use std::fs;

use anyhow::Result;
use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::lines::{Checked, RunLine};
use super::output::{err, out};
use crate::cli::{Exit, SchemaOptions, Shared};
use crate::compare::Compared;
use crate::results::{ResultsFile, SCHEMA_FILE, Trial, write};
use crate::root::Root;
use crate::tool::Found;

/// Writes the JSON Schema of what the other commands write.
///
/// # Errors
/// It cannot be written.
pub fn schema(shared: &Shared, options: &SchemaOptions) -> Result<Exit> {
    let file = Root::find(shared)?.results("results".as_ref()).join(SCHEMA_FILE);
    let text = format!("{}\n", serde_json::to_string_pretty(&published())?);
    if !options.check {
        write(&file, &text)?;
        out!("{}", file.display());
    } else if fs::read_to_string(&file).ok() != Some(text) {
        err!("{} is not what the program's types give: `harness schema` writes it", file.display());
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

/// Draft 2020-12: a results file at the root, and among its definitions a journal's [`Trial`] and what the commands print with
/// `--json`.
fn published() -> Schema {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    generator.subschema_for::<Trial>();
    generator.subschema_for::<Compared>();
    generator.subschema_for::<RunLine>();
    generator.subschema_for::<Checked>();
    generator.subschema_for::<Found>();
    generator.into_root_schema_for::<ResultsFile>()
}
