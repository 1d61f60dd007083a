//! What a run measured: the journal while it lasts, the results file after it.

mod file;
mod journal;
mod run;
mod states;

pub use file::{SCHEMA_FILE, latest, read, write};
pub use journal::Journal;
pub use run::{Entry, Header, Measured, Outcome, Run, SCHEMA, Trial};
pub use states::{State, States};
