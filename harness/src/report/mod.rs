//! A run as tables: made once, then written as Markdown or for a terminal.

mod answer;
mod artillery_page;
mod connections;
mod costs;
mod feeds;
mod figures;
mod head;
mod index;
mod markdown;
mod number;
mod seconds;
mod sheet;
mod standing;
mod table;
mod terminal;
mod tools;
mod transports;
mod wire;

pub(crate) use answer::{Answer, COLUMNS, Firsts, firsts, name_and_unit};
pub use artillery_page::artillery_page;
pub(crate) use costs::costs_of;
pub(crate) use figures::{Figure, figures};
pub use head::head;
pub(crate) use index::Listed;
pub use index::index_markdown;
pub use markdown::{markdown, tables_markdown};
pub use number::number;
pub(crate) use number::range;
pub(crate) use seconds::{MEDIAN_MS, P99_MS, Read, medians};
pub(crate) use sheet::{Bound, CEILING, Cell, Note, Row, Sheet};
pub(crate) use standing::{estimated, noise_floor, valid};
pub(crate) use table::asked;
pub use table::{Table, costs, table, tables};
pub use terminal::terminal;
pub use tools::tools;
pub use transports::transports;
