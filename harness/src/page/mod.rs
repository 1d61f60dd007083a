//! A run as a page to open: one file without a network, its figures those of [`report`](crate::report).

mod cards;
mod chart;
mod compared;
mod curves;
mod data;
mod facts;
mod groups;
mod palette;
mod scale;
mod sections;

use anyhow::Result;
use askama::Template;

pub use compared::comparison;

use crate::report::{Answer, COLUMNS, Firsts, Job, Listed, Sheet, WAY_COLUMNS, asked, firsts, head, jobs};
use crate::results::Run;
use palette::{Colour, Palette};
use sections::{Group, Section};

/// Contenders × loads beyond which figures without a card are left to the Markdown, to keep the file below 2 MB.
const MOST_ROWS: usize = 400;

/// All that the page shows, as its template takes it.
#[derive(Template)]
#[template(path = "run.html")]
struct Page<'a> {
    name: &'a str,
    description: &'a str,
    /// Facts that a reader wants first: what, and how much.
    facts: Vec<(&'static str, String)>,
    head: Vec<String>,
    palette: Vec<Colour>,
    contenders: Vec<Contender>,
    columns: [&'static str; 5],
    answers: Vec<Answer>,
    firsts: Vec<Firsts>,
    way_columns: [&'static str; 6],
    jobs: &'a [Job<'a>],
    sections: Vec<Section>,
    groups: Vec<Group>,
    data: String,
}

/// A contender as the page's key has it.
struct Contender {
    index: usize,
    name: String,
    title: String,
    version: String,
}

/// The page of a run.
///
/// # Errors
/// The figures cannot be written as JSON, or the template not be filled in: a bug.
pub fn html(run: &Run) -> Result<String> {
    let header = &run.header;
    let palette = Palette::of(run);
    let sheets: Vec<Sheet<'_>> = asked(run).map(|load| Sheet::of(run, load)).collect();
    let is_thin = sheets.iter().map(|sheet| sheet.columns.len()).sum::<usize>() > MOST_ROWS;
    let answers: Vec<Answer> =
        sheets.iter().enumerate().filter_map(|(i, sheet)| Answer::of(run, i, sheet)).collect();
    let jobs = jobs(run);
    let contenders = header.contenders.iter().enumerate().map(|(index, entry)| Contender {
        index,
        name: entry.name.clone(),
        title: entry.manifest.title.clone(),
        version: entry
            .about
            .as_ref()
            .map_or(String::new(), |about| format!("{} {}", about.framework, about.version)),
    });
    let page = Page {
        name: &header.name,
        description: &header.profile.description,
        facts: facts::facts(run, &sheets),
        head: head(run).into_iter().map(|line| line.replace("**", "")).collect(),
        palette: palette.colours(),
        contenders: contenders.collect(),
        columns: COLUMNS,
        firsts: firsts(run, &answers),
        answers,
        sections: sheets.iter().enumerate().map(|(i, sheet)| Section::of(run, i, sheet, is_thin)).collect(),
        way_columns: WAY_COLUMNS,
        groups: groups::groups(run, &sheets, &jobs),
        jobs: &jobs,
        data: data::json(run, &sheets, is_thin)?,
    };
    Ok(page.render()?)
}

/// The list of the runs.
#[derive(Template)]
#[template(path = "index.html")]
struct Index {
    runs: Vec<Listed>,
}

/// The page that lists the runs of a folder.
///
/// # Errors
/// The template cannot be filled in: a bug.
pub fn index<'a>(runs: impl IntoIterator<Item = &'a Run>) -> Result<String> {
    Ok(Index { runs: runs.into_iter().map(Listed::of).collect() }.render()?)
}
