use std::fmt::Write as _;

use super::tools::WHY_TOOLS_DIFFER;
use super::{Table, costs, head, overview, tables, tools, transports};
use crate::plan::Load;
use crate::results::Run;

/// How the cells are to be read.
pub const LEGEND: &str = "Each cell: the median over the rounds (its 95 % interval) #place, of the state of the machine that most trials were taken in; ‡: of another. Contenders that the data cannot tell apart \
                      share a place. ≥: the load generator was the limit, so the server can do at least this. Noise: what the control, one \
                      contender entered twice, differs from itself by: one draw of chance, which can only take claims away, since no place is given \
                      for less.";

/// How the tables of transports are to be read.
const TRANSPORTS: &str = "One job by each transport. #place: among the transports of one contender, where the rounds tell them apart; those that they \
                          cannot tell apart share a place. Under each figure's name stands which is first.";

/// How the tables of costs are to be read.
const COSTS: &str = "Where the cost lies. A message of a broadcast is a delivery. What each figure holds and what it does not is in \
                     harness/METHOD.md.";

/// The whole page of a run.
#[must_use]
pub fn markdown(run: &Run) -> String {
    let mut page = format!("# {}\n\n{}\n\n", run.header.name, run.header.profile.description);
    for line in head(run) {
        let _ = writeln!(page, "- {}", escape(&line));
    }
    let _ = writeln!(page, "\n{LEGEND}\n");
    page.push_str(&joined(&tables(run), 2));
    let transports = transports(run);
    if !transports.is_empty() {
        let tables = joined(&transports, 3);
        let _ = write!(page, "\n## Transports side by side\n\n{TRANSPORTS}\n\n{tables}");
    }
    let tools = tools(run);
    if !tools.is_empty() {
        let _ =
            write!(page, "\n## Load generators side by side\n\n{WHY_TOOLS_DIFFER}\n\n{}", joined(&tools, 3));
    }
    let costs = costs(run);
    if !costs.is_empty() {
        let _ = write!(page, "\n## Cost\n\n{COSTS}\n\n{}", joined(&costs, 3));
    }
    page
}

/// The overview's tables, their titles headings of this level.
#[must_use]
pub fn overview_markdown(run: &Run, level: usize) -> String {
    joined(&overview(run), level)
}

fn joined(tables: &[Table], level: usize) -> String {
    tables.iter().map(|table| one(table, level)).collect::<Vec<_>>().join("\n")
}

fn one(table: &Table, level: usize) -> String {
    let mut text = format!("{} {}\n\n", "#".repeat(level), table.title);
    let _ = writeln!(text, "| | {} |", table.columns.join(" | "));
    let _ = writeln!(text, "|---|{}", "---:|".repeat(table.columns.len()));
    for (name, cells) in &table.rows {
        let cells: Vec<String> = cells.iter().map(|cell| escape(cell)).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    if !table.notes.is_empty() {
        text.push('\n');
    }
    for note in &table.notes {
        let _ = writeln!(text, "- {}", escape(note));
    }
    text
}

/// Text from outside (a log, an answer) must not become markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '<' | '>' | '`' | '_' | '[' | ']' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A link to a load's table in the Markdown of a run.
pub(crate) fn link(run: &str, load: &Load) -> String {
    let title = load.to_string();
    link_to(run, &title, &title)
}

/// A link with this text to a heading in the Markdown of a run.
pub(crate) fn link_to(run: &str, text: &str, heading: &str) -> String {
    format!("[{text}](results/{run}.md#{})", anchor(heading))
}

/// How code hosts name a heading: lower case, a dash for a space, other marks left out.
fn anchor(title: &str) -> String {
    let kept = title
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
        .collect::<String>();
    kept.replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_as_code_hosts_make_it() {
        assert_eq!(anchor("echo, 64 × 64 B, 10000/s, spinning"), "echo-64--64-b-10000s-spinning");
    }
}
