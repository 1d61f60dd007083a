//! What the page says is first, held against the tables.

use harness::report::{Table, tables, transports};
use harness::results::Run;

use super::{AnswerRead, Read};

/// How the figures of each column are known, and whether more is better.
const COLUMNS: [(&[&str], bool); 5] = [
    (&["RPS (", "Deliveries/s", "Feeds/s", "Connections/s", "Connections held"], true),
    (&["median (ms)"], false),
    (&["p99 (ms)"], false),
    (&["Server CPU (µs/"], false),
    (&["Server memory (MiB)", "Server memory (bytes/connection)"], false),
];

/// `≥ 1,234 (1,200–1,300) #2`: the figure as text and number, and its place.
fn parts(cell: &str) -> Option<(&str, f64, usize)> {
    let (figure, place) = cell.rsplit_once(" #")?;
    let text = figure.split_once(" (").map_or(figure, |(median, _)| median);
    let value = text.trim_start_matches("≥ ").replace(',', "").parse().ok()?;
    Some((text, value, place.parse().ok()?))
}

/// Whoever is said to be first has the first place in the load's table, and the figure is the best of theirs.
pub fn assert_answers_are_those_of(run: &Run, read: &Read) {
    let tables = tables(run);
    let mut compared = 0;
    for row in &read.answers {
        let load = row[0].load.as_ref().expect("a link to the load");
        let table = tables.iter().find(|table| table.title == *load).expect("a table of the load");
        for (shown, column) in row[1..].iter().zip(COLUMNS) {
            compared += usize::from(assert_answer(table, shown, column));
        }
    }
    assert!(compared >= 3 * read.answers.len() && compared > 0, "{compared} compared");
}

fn assert_answer(table: &Table, shown: &AnswerRead, (names, more_is_better): (&[&str], bool)) -> bool {
    let is_it = |name: &str| names.iter().any(|part| name.contains(part)) && !name.starts_with("Service");
    let row =
        table.rows.iter().find(|(name, cells)| is_it(name) && cells.iter().any(|cell| parts(cell).is_some()));
    let Some((name, cells)) = row else {
        assert!(shown.best.is_empty(), "{}: {}", table.title, shown.best);
        return false;
    };
    let ranked: Vec<_> = table
        .columns
        .iter()
        .zip(cells)
        .filter(|(contender, _)| *contender != "ceiling")
        .filter_map(|(contender, cell)| Some((contender, parts(cell)?)))
        .collect();
    let best = ranked.iter().map(|(_, (_, _, place))| *place).min().expect("somebody is first");
    let first: Vec<_> = ranked.iter().filter(|(_, (_, _, place))| *place == best).collect();
    let sign = if more_is_better { 1.0 } else { -1.0 };
    let (_, (text, ..)) = first
        .iter()
        .max_by(|(_, (_, a, _)), (_, (_, b, _))| (a * sign).total_cmp(&(b * sign)))
        .expect("somebody is first");
    assert!(
        shown.best.starts_with(&format!("{text} ")),
        "{}, {name}: {} for {text}",
        table.title,
        shown.best
    );
    if shown.names.is_empty() {
        assert_eq!(first.len(), ranked.len(), "{}, {name}: no difference seen", table.title);
    } else {
        let names: Vec<&String> = first.iter().map(|(contender, _)| *contender).collect();
        assert_eq!(shown.names.iter().collect::<Vec<_>>(), names, "{}, {name}", table.title);
    }
    true
}

/// The transports side by side are those of the Markdown, cell by cell.
pub fn assert_transports_are_those_of(run: &Run, read: &Read) {
    let tables = transports(run);
    let (all, jobs) = tables.split_first().expect("jobs by several transports");
    for (shown, (job, cells)) in read.first.iter().zip(&all.rows) {
        let cells = cells.iter().map(|cell| if cell == "–" { "" } else { cell });
        assert_eq!(shown[1..], *cells.collect::<Vec<_>>(), "{job}");
    }
    assert_eq!((read.first.len(), read.jobs.len()), (jobs.len(), jobs.len()));
    let mut compared = 0;
    for (shown, table) in read.jobs.iter().zip(jobs) {
        assert_eq!(shown.load, table.title);
        for card in &shown.cards {
            let is_it = |name: &str| {
                name == card.figure
                    || name.starts_with(&format!("{} (", card.figure))
                    || name.starts_with(&format!("{};", card.figure))
            };
            // The CPU of a connection and that of its messages have one name and two units.
            let named: Vec<usize> = (0..table.rows.len()).filter(|at| is_it(&table.rows[*at].0)).collect();
            assert!(!named.is_empty(), "{}", card.figure);
            for [name, _, median, range, place] in &card.rows {
                let (contender, transport) = name.split_once(" · ").expect("a contender and a transport");
                let column =
                    table.columns.iter().position(|column| column == contender).expect("a contender");
                let of = |at: &usize| table.rows[at + 1..].iter().find(|(way, _)| way == transport);
                let cells: Vec<&String> =
                    named.iter().filter_map(of).map(|(_, cells)| &cells[column]).collect();
                let range = if range.is_empty() { String::new() } else { format!(" ({range})") };
                let place = if place.is_empty() { String::new() } else { format!(" #{place}") };
                let text = format!("{median}{range}{place}");
                let title = &table.title;
                assert!(
                    cells.contains(&&text),
                    "{title}, {}, {name}: {text} is none of {cells:?}",
                    card.figure
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "nothing was compared");
}
