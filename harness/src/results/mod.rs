//! What a run measured: the journal while it lasts, the results file after it.

mod file;
mod journal;
mod run;
mod seal;
mod states;

pub use file::{Latest, Runs, SCHEMA_FILE, all, latest, read, save, write};
pub use journal::Journal;
pub use run::{Entry, Header, Measured, Outcome, Run, SCHEMA, Trial};
pub use seal::{Broken, Digest, ResultsFile};
pub use states::{Figured, State, States};
