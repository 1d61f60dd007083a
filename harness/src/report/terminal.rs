use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table as Grid};

use super::{costs, head, tables, tools, transports};
use crate::results::Run;

/// The same for a terminal, as wide as its text.
#[must_use]
pub fn terminal(run: &Run) -> String {
    let mut text = format!("{}\n{}\n", run.header.name, head(run).join("\n").replace("**", ""));
    for table in tables(run).into_iter().chain(transports(run)).chain(tools(run)).chain(costs(run)) {
        let mut grid = Grid::new();
        grid.load_style(UTF8_FULL_CONDENSED);
        grid.set_header(std::iter::once(table.title.clone()).chain(table.columns.clone()));
        for (name, cells) in &table.rows {
            grid.add_row(std::iter::once(name).chain(cells));
        }
        for column in grid.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        text.push_str(&format!("\n{grid}\n"));
        for note in &table.notes {
            text.push_str(&format!("- {note}\n"));
        }
    }
    text
}
