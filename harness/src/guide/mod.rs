//! Which contender for which need: what a run says of it, and apart from that what we think.

mod cases;
mod costs;

use std::fmt::Write as _;

use crate::cost::Costs;
use crate::plan::Load;
use crate::report::{Answer, COLUMNS, Sheet, asked, link};
use crate::results::Run;
use cases::{CASES, Case};

/// The guide, its headings of this level. What the run has no figures of, it says.
#[must_use]
pub fn markdown(run: &Run, costs: &Costs, level: usize) -> String {
    let sheets: Vec<Sheet<'_>> = asked(run).map(|load| Sheet::of(run, load)).collect();
    let answers: Vec<(&Load, Answer)> = sheets
        .iter()
        .enumerate()
        .filter_map(|(id, sheet)| Some((sheet.load, Answer::of(run, id, sheet)?)))
        .collect();
    let heading = "#".repeat(level);
    let name = &run.header.name;
    let mut text = format!(
        "Facts are of [{name}](results/{name}.md); who ties cannot be told apart by its data, and ≥ is what the load generator's own limit left to be seen. The ceiling is left out: it is no framework to pick.\n"
    );
    for Case { title, opinion, wanted } in CASES {
        let _ = write!(text, "\n{heading} {title}\n\n");
        for (what, is_it) in *wanted {
            let found: Vec<String> = answers
                .iter()
                .filter(|(load, _)| is_it(load))
                .map(|(load, answer)| fact(name, load, answer))
                .collect();
            if found.is_empty() {
                let _ = writeln!(text, "- {what}: this run compares nobody in it.");
            }
            text.extend(found);
        }
        let _ = write!(text, "\n*Opinion:* {opinion}\n");
    }
    let _ = write!(text, "\n{heading} What each costs\n\n{}", costs::table(run, &sheets, costs));
    text
}

/// Who is first in what of a load, with a link to its table.
fn fact(run: &str, load: &Load, answer: &Answer) -> String {
    let wins = COLUMNS.iter().zip(&answer.wins).filter_map(|(column, win)| {
        let win = win.as_ref()?;
        let names: Vec<&str> = win.names.iter().map(|(_, name)| name.as_str()).collect();
        let who = match (win.is_all, names.as_slice()) {
            (true, _) => "no difference seen".to_owned(),
            (false, [one]) => format!("**{one}**"),
            (false, several) => format!("tie of {}", several.join(", ")),
        };
        Some(format!(
            "{}: {who} ({})",
            if *column == "CPU" { (*column).to_owned() } else { column.to_lowercase() },
            win.best
        ))
    });
    let wins: Vec<String> = wins.collect();
    let wins = if wins.is_empty() { "too few trials to tell".to_owned() } else { wins.join("; ") };
    let names: Vec<&str> = answer.asked.iter().map(|(_, name)| name.as_str()).collect();
    let asked =
        if answer.asks_all { String::new() } else { format!(", asked of {} alone", names.join(", ")) };
    format!("- {}{asked}: {wins}.\n", link(run, load))
}
