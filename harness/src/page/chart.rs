//! Lines over an axis, with a table of what they are drawn through.

use super::scale::Scale;
use crate::report::number;
use crate::results::Entry;

/// Size and edges in user units: the template has them too, as numbers.
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 400.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 262.0;
/// Between the names at the lines' ends.
const LINE_HEIGHT: f64 = 13.0;

/// A chart with its table.
pub(super) struct Chart {
    pub title: String,
    pub x_title: &'static str,
    pub y_title: String,
    pub x_ticks: Vec<Tick>,
    pub y_ticks: Vec<Tick>,
    /// The first column of the table says what the others are.
    pub corner: &'static str,
    /// Where the table's columns lie on the axis, and their heads.
    pub columns: Vec<(String, String)>,
    pub lines: Vec<Line>,
}

/// A line across the chart.
pub(super) struct Tick {
    pub at: String,
    pub text: String,
}

/// A contender's line.
pub(super) struct Line {
    pub index: usize,
    pub name: String,
    pub path: String,
    /// Where its name stands.
    pub label_y: String,
    /// Its row of the table.
    pub cells: Vec<String>,
}

/// What a chart is of.
pub(super) struct Axes {
    pub title: String,
    pub x_title: &'static str,
    pub y_title: String,
    pub corner: &'static str,
    /// Where lines cross the chart, from 0 to 1, and what they are called.
    pub x_ticks: Vec<(f64, String)>,
    /// Where the values lie, from 0 to 1, and what they are called.
    pub columns: Vec<(f64, String)>,
}

/// A contender's values, one a column.
pub(super) struct Series<'a> {
    pub index: usize,
    pub entry: &'a Entry,
    pub values: Vec<Option<f64>>,
}

impl Chart {
    /// On a logarithmic scale; `None` without a line to draw.
    pub fn of(axes: Axes, series: &[Series<'_>]) -> Option<Self> {
        let drawn = || series.iter().filter(|series| series.values.iter().flatten().count() > 1);
        let scale = Scale::log(drawn().flat_map(|series| series.values.iter().copied().flatten()))?;
        let x = |share: f64| LEFT + share * (RIGHT - LEFT);
        let y = |value: f64| BOTTOM - scale.at(value) * (BOTTOM - TOP);
        let line = |series: &Series<'_>| {
            let points = axes.columns.iter().zip(&series.values);
            let points: Vec<(f64, f64)> = points
                .filter_map(|((share, _), value)| Some((x(*share), y((*value).filter(|v| *v > 0.0)?))))
                .collect();
            let last = points.last().map_or(BOTTOM, |(_, y)| *y);
            let cell = |value: &Option<f64>| value.map_or("–".to_owned(), number);
            let line = Line {
                index: series.index,
                name: series.entry.name.clone(),
                path: path(&points),
                label_y: String::new(),
                cells: series.values.iter().map(cell).collect(),
            };
            (last, line)
        };
        let mut lines: Vec<(f64, Line)> = drawn().map(line).collect();
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        Some(Self {
            title: axes.title,
            x_title: axes.x_title,
            y_title: axes.y_title,
            corner: axes.corner,
            x_ticks: axes.x_ticks.into_iter().map(|(at, text)| Tick { at: px(x(at)), text }).collect(),
            y_ticks: scale
                .ticks()
                .into_iter()
                .map(|(at, text)| Tick { at: px(BOTTOM - at * (BOTTOM - TOP)), text })
                .collect(),
            columns: axes.columns.into_iter().map(|(at, text)| (px(x(at)), text)).collect(),
            lines: labelled(lines),
        })
    }

    /// Where the table's columns lie, for the pointer.
    pub fn stops(&self) -> String {
        self.columns.iter().map(|(at, _)| at.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// Names at the ends of lines, from above to below, moved apart so that each can be read.
fn labelled(lines: Vec<(f64, Line)>) -> Vec<Line> {
    let mut places: Vec<f64> = lines.iter().map(|(y, _)| *y).collect();
    for i in 1..places.len() {
        places[i] = places[i].max(places[i - 1] + LINE_HEIGHT);
    }
    // What was pushed beyond the edge goes up again, and the others before it.
    let mut limit = HEIGHT - LINE_HEIGHT;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - LINE_HEIGHT;
    }
    let labelled = lines.into_iter().zip(places);
    labelled.map(|((_, line), place)| Line { label_y: px(place + 4.0), ..line }).collect()
}

fn path(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{} {}", px(*x), px(*y))).collect();
    if points.is_empty() { String::new() } else { format!("M{}", points.join("L")) }
}

/// A place in user units: less than one is not seen.
fn px(value: f64) -> String {
    format!("{value:.0}")
}
