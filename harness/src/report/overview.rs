use super::answer::{COLUMNS, column_of, name_and_unit};
use super::markdown::link;
use super::sheet::{Row, Sheet};
use super::table::{Table, asked};
use crate::plan::ToolName;
use crate::results::{Entry, Run};

/// The figures that are won, a table each: a row a load, a column a contender. The loads link to their own tables. Those by tools of
/// others are left out, since the limit seen may be the tool's.
#[must_use]
pub fn overview(run: &Run) -> Vec<Table> {
    let sheets: Vec<Sheet<'_>> =
        asked(run).filter(|load| load.tool() == ToolName::Loadgen).map(|load| Sheet::of(run, load)).collect();
    let entries: Vec<&Entry> = run.header.contenders.iter().filter(|entry| !entry.is_control()).collect();
    (0..COLUMNS.len()).filter_map(|column| of_figure(run, &sheets, &entries, column)).collect()
}

fn of_figure(run: &Run, sheets: &[Sheet<'_>], entries: &[&Entry], column: usize) -> Option<Table> {
    let found: Vec<(&Sheet<'_>, &Row)> = sheets
        .iter()
        .filter_map(|sheet| Some((sheet, sheet.rows.iter().find(|row| column_of(row) == Some(column))?)))
        .collect();
    let unit = |row: &Row| name_and_unit(&row.name).1.to_owned();
    let first = unit(found.first()?.1);
    let is_one_unit = found.iter().all(|(_, row)| unit(row) == first);
    let rows = found.iter().map(|(sheet, row)| {
        let cell = |entry: &&Entry| {
            let place = sheet.columns.iter().position(|asked| asked.name == entry.name);
            place.map_or(String::new(), |place| row.cells[place].text())
        };
        let noise = row.noise_floor.map_or(String::new(), |floor| format!("{:.2} %", (floor - 1.0) * 100.0));
        let link = link(&run.header.name, sheet.load);
        let name = match name_and_unit(&row.name) {
            // Such as that of the first item, or of a whole countdown.
            (name, "ms") if !name.to_lowercase().contains("latency") => {
                format!("{link}: {}", name.to_lowercase())
            }
            _ if is_one_unit => link,
            (name, "") => format!("{link}: {}", name.to_lowercase()),
            (_, unit) => format!("{link}: {unit}"),
        };
        (name, entries.iter().map(cell).chain([noise]).collect())
    });
    let figure = COLUMNS[column];
    Some(Table {
        title: if is_one_unit { format!("{figure} ({first})") } else { figure.to_owned() },
        columns: entries.iter().map(|entry| entry.name.clone()).chain(["noise".to_owned()]).collect(),
        rows: rows.collect(),
        notes: Vec::new(),
    })
}
