//! A run as tables: made once, then written as Markdown or for a terminal.

mod figures;
mod head;
mod markdown;
mod number;
mod table;
mod terminal;

pub use head::head;
pub use markdown::{markdown, tables_markdown};
pub use table::{Table, table, tables};
pub use terminal::terminal;
