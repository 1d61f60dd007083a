//! A run as tables: made once, then written as Markdown or for a terminal.

mod connections;
mod costs;
mod figures;
mod head;
mod markdown;
mod number;
mod seconds;
mod standing;
mod table;
mod terminal;
mod transports;
mod wire;

pub(crate) use costs::costs_of;
pub(crate) use figures::{Figure, figures};
pub use head::head;
pub use markdown::{markdown, tables_markdown};
pub use number::number;
pub(crate) use standing::{estimated, noise_floor, valid};
pub use table::{Table, costs, table, tables};
pub use terminal::terminal;
pub use transports::transports;
