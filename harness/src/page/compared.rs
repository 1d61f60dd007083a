//! A comparison of two runs as a page.

use anyhow::Result;
use askama::Template;

use super::scale::Scale;
use crate::compare::{Change, Compared, Finding};
use crate::report::number;

#[derive(Template)]
#[template(path = "compare.html")]
struct Page<'a> {
    before: &'a str,
    after: &'a str,
    worse: usize,
    better: usize,
    total: usize,
    circumstances: &'a [String],
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    class: &'static str,
    word: &'static str,
    load: &'a str,
    contender: &'a str,
    figure: &'a str,
    change: Option<Shown>,
    /// Where there is no change to show.
    because: &'a str,
}

/// A change as texts, and where it lies on the scale, in percent.
struct Shown {
    before: String,
    after: String,
    ratio: String,
    interval: String,
    low_at: String,
    at: String,
    high_at: String,
}

/// The page of a comparison: what became worse first, then what became better, then the rest.
///
/// # Errors
/// The template cannot be filled in: a bug.
pub fn comparison(compared: &Compared) -> Result<String> {
    let mut rows: Vec<Row<'_>> = compared
        .rows
        .iter()
        .map(|row| {
            let (class, word, change, because) = match &row.finding {
                Finding::Worse(change) => ("worse", "worse", Some(change), ""),
                Finding::Better(change) => ("better", "better", Some(change), ""),
                Finding::MachineChanged(change) => ("no", "the machine changed", Some(change), ""),
                Finding::NoDifferenceSeen(change) => ("no", "no difference seen", Some(change), ""),
                Finding::NotComparable { because, .. } => ("none", "not comparable", None, because.as_str()),
            };
            let change = change.map(Shown::of);
            let (load, contender) = (row.load.as_str(), row.contender.as_str());
            Row { class, word, load, contender, figure: row.figure, change, because }
        })
        .collect();
    let order = ["worse", "better", "no", "none"];
    rows.sort_by_key(|row| order.iter().position(|class| *class == row.class));
    let count = |class: &str| rows.iter().filter(|row| row.class == class).count();
    let page = Page {
        before: &compared.before,
        after: &compared.after,
        worse: count("worse"),
        better: count("better"),
        total: rows.len(),
        circumstances: &compared.circumstances,
        rows,
    };
    Ok(page.render()?)
}

impl Shown {
    fn of(change: &Change) -> Self {
        let Change { before, after, ratio, interval: (low, high), .. } = *change;
        let scale = Scale::log([0.5, 2.0]);
        let at = |ratio: f64| format!("{:.1}", scale.map_or(0.5, |scale| scale.at(ratio)) * 100.0);
        Self {
            before: number(before),
            after: number(after),
            ratio: format!("{ratio:.3}"),
            interval: format!("{low:.3}–{high:.3}"),
            low_at: at(low),
            at: at(ratio),
            high_at: at(high),
        }
    }
}
