//! Which contender for which need: what a run says of it, and apart from that what we think.

mod cases;
mod costs;

use std::fmt::Write as _;

use crate::cost::Costs;
use crate::plan::Load;
use crate::report::{Answer, COLUMNS, Job, Said, Sheet, WAY_COLUMNS, Win, asked, jobs, link, link_to};
use crate::results::Run;
use cases::{CASES, Case};

/// What a run says of one load.
type Told<'a> = (&'a Load, Answer);

/// The columns of [`COLUMNS`] that tell at a glance what a framework costs: CPU, 99th percentile, memory.
const AT_A_GLANCE: [usize; 3] = [3, 2, 4];

/// The guide, its headings of this level. What the run has no figures of, it says.
#[must_use]
pub fn markdown(run: &Run, costs: &Costs, level: usize) -> String {
    let sheets: Vec<Sheet<'_>> = asked(run).map(|load| Sheet::of(run, load)).collect();
    let told: Vec<Told<'_>> = sheets
        .iter()
        .enumerate()
        .filter_map(|(id, sheet)| Some((sheet.load, Answer::of(run, id, sheet)?)))
        .collect();
    let heading = "#".repeat(level);
    let name = &run.header.name;
    let profile = &run.header.profile;
    let mut text = format!(
        "Facts are of [{name}](results/{name}.md), profile {}: {} Behind ± is how far the 95 % interval of a figure reaches; its tables have all of them. Who ties cannot be told apart by its data, and ≥ is what the load \
         generator's own limit left to be seen. The ceiling is left out: it is no framework to pick. Opinions are in italics.\n\n{}",
        profile.name,
        profile.description,
        at_a_glance(name, &told)
    );
    text.push_str(&deviations(run));
    let jobs = jobs(run);
    if !jobs.is_empty() {
        let _ = write!(text, "\n{heading} Which transport\n\n{}", by_transport(name, &jobs));
    }
    for case in CASES {
        let _ = write!(text, "\n{heading} {}\n\n{}", case.title, facts(name, case, &told));
        let _ = write!(text, "\n*{}*\n", case.opinion);
    }
    let _ = write!(text, "\n{heading} What each costs\n\n{}", costs::table(run, &sheets, costs));
    text
}

/// A row a case: the transport that we would take, and which framework costs least by it, under the load that most were asked.
fn at_a_glance(run: &str, told: &[Told<'_>]) -> String {
    let columns = AT_A_GLANCE.map(|column| COLUMNS[column]);
    let mut text = header(&["For", "*Transport*", columns[0], columns[1], columns[2], "Seen under"]);
    for Case { title, transport, wanted, .. } in CASES {
        let is_it = |(load, _): &&Told<'_>| wanted.first().is_some_and(|(_, is_it)| is_it(load));
        // Of those that as many were asked, the first.
        let found = told.iter().filter(is_it).rev().max_by_key(|(_, answer)| answer.asked.len());
        let _ = match found {
            Some((load, answer)) => {
                let [cpu, p99, memory] = AT_A_GLANCE.map(|column| who(answer.wins[column].as_ref()));
                let seen = seen(run, load, answer);
                writeln!(text, "| {title} | *{transport}* | {cpu} | {p99} | {memory} | {seen} |")
            }
            None => writeln!(text, "| {title} | *{transport}* | – | – | – | nobody compared |"),
        };
    }
    text
}

/// Who does not keep all of the contract: a check left out may be time saved.
fn deviations(run: &Run) -> String {
    let mut text = String::new();
    for entry in run.header.contenders.iter().filter(|entry| !entry.is_control()) {
        let count = entry.manifest.deviations.len();
        if count > 0 {
            let checks = if count == 1 { "check" } else { "checks" };
            let _ = write!(
                text,
                "\n{} fails {count} {checks} of the contract, listed below: part of what it saves may be that.\n",
                entry.name
            );
        }
    }
    text
}

/// A row a job, with a link to its table.
fn by_transport(run: &str, jobs: &[Job<'_>]) -> String {
    let mut text = "One job by each transport on one framework after the other: which is first, and with which of them. Where WebSocket is behind \
                    on axum, hyper, tungstenite and warp, most of it is a read buffer that they can be given smaller: see [what the frameworks do by \
                    themselves](servers/README.md#what-the-frameworks-do-by-themselves).\n\n"
        .to_owned();
    text.push_str(&header(&[&["Job"], &WAY_COLUMNS[..]].concat()));
    for job in jobs {
        let cell = |said: Vec<Said>| match said.as_slice() {
            [] => "–".to_owned(),
            said => said.iter().map(Said::text).collect::<Vec<_>>().join("; "),
        };
        let cells: Vec<String> = job.said().into_iter().map(cell).collect();
        let link = link_to(run, &job.title, &job.table_title());
        let _ = writeln!(text, "| {link} | {} |", cells.join(" | "));
    }
    text
}

/// A row a load that speaks to a case, and a line for each kind of load that is missing.
fn facts(run: &str, case: &Case, told: &[Told<'_>]) -> String {
    let (mut rows, mut missing) = (String::new(), String::new());
    for (what, is_it) in case.wanted {
        let mut found = told.iter().filter(|(load, _)| is_it(load)).peekable();
        if found.peek().is_none() {
            let _ = writeln!(missing, "- {what}: this run compares nobody in it.");
        }
        rows.extend(found.map(|told| fact(run, told)));
    }
    if rows.is_empty() {
        return missing;
    }
    let gap = if missing.is_empty() { "" } else { "\n" };
    format!("{}{rows}{gap}{missing}", header(&[&["Load"], &COLUMNS[..]].concat()))
}

/// Who is first in what of a load, with a link to its table.
fn fact(run: &str, (load, answer): &Told<'_>) -> String {
    let wins: Vec<String> = answer.wins.iter().map(|win| who(win.as_ref())).collect();
    format!("| {} | {} |\n", seen(run, load, answer), wins.join(" | "))
}

/// A load with a link to its table, and whom it was asked of, or how many, if not of all.
fn seen(run: &str, load: &Load, answer: &Answer) -> String {
    let names: Vec<&str> = answer.asked.iter().map(|(_, name)| name.as_str()).collect();
    let asked = match names.len() {
        _ if answer.asks_all => String::new(),
        // So many would drown the rest; the table that the link leads to has them.
        several @ 5.. => format!(", asked of {several}"),
        _ => format!(", asked of {}", names.join(", ")),
    };
    format!("{}{asked}", link(run, load))
}

/// Who is first, and with what.
fn who(win: Option<&Win>) -> String {
    let Some(win) = win else { return "–".to_owned() };
    let names: Vec<&str> = win.names.iter().map(|(_, name)| name.as_str()).collect();
    let who = match (win.is_all, names.as_slice()) {
        (true, _) => "no difference seen".to_owned(),
        (false, [one]) => format!("**{one}**"),
        (false, several) => format!("tie of {}", several.join(", ")),
    };
    format!("{who} ({})", win.best)
}

/// The head of a table whose cells are text.
fn header(columns: &[&str]) -> String {
    format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}
