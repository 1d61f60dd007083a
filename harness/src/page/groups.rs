//! Loads that differ in one thing only, side by side.

use serde_json::Value;

use super::cards::Card;
use super::chart::{Axes, Chart, Series};
use super::sections::Group;
use crate::plan::Load;
use crate::report::{Compared, Job, Row, Sheet};
use crate::results::Run;

/// The loads of a run that are the same but for their rate.
fn alike_but_for_rate<'s, 'a>(sheets: &'s [Sheet<'a>]) -> Vec<(Value, Vec<&'s Sheet<'a>>)> {
    let mut groups: Vec<(Value, Vec<&Sheet<'_>>)> = Vec::new();
    for sheet in sheets {
        let Ok(Value::Object(mut load)) = serde_json::to_value(sheet.load) else { continue };
        if load.remove("rate").is_none() {
            continue;
        }
        let rest = Value::Object(load);
        match groups.iter_mut().find(|(other, _)| *other == rest) {
            Some((_, group)) => group.push(sheet),
            None => groups.push((rest, vec![sheet])),
        }
    }
    groups.retain(|(_, group)| group.len() > 1);
    groups
}

/// A load's name without the part that differs.
fn title(rest: &Value) -> String {
    serde_json::from_value::<Load>(rest.clone()).map_or_else(|_| rest.to_string(), |load| load.to_string())
}

/// Latency against rate, and transports side by side.
pub(super) fn groups(run: &Run, sheets: &[Sheet<'_>], jobs: &[Job<'_>]) -> Vec<Group> {
    let rates =
        alike_but_for_rate(sheets).into_iter().filter_map(|(rest, group)| against_rate(run, &rest, &group));
    let transports = jobs.iter().enumerate().map(|(number, job)| by_transport(run, sheets, number, job));
    transports.chain(rates).collect()
}

/// Of each contender the latency at each rate, where the rates are.
fn against_rate(run: &Run, rest: &Value, group: &[&Sheet<'_>]) -> Option<Group> {
    let mut group: Vec<(f64, &Sheet<'_>)> =
        group.iter().filter_map(|sheet| Some((rate(sheet)?, *sheet))).collect();
    group.sort_by(|a, b| a.0.total_cmp(&b.0));
    let most = group.last()?.0;
    let columns: Vec<(f64, String)> = group
        .iter()
        .map(|(value, sheet)| {
            (value / most, sheet.load.rate().map_or(String::new(), |rate| rate.to_string()))
        })
        .collect();
    let charts = ["median", "p99"].into_iter().filter_map(|which| {
        let wanted = |row: &&Row| row.name.to_lowercase().ends_with(&format!("latency {which} (ms)"));
        let series: Vec<Series<'_>> = group[0]
            .1
            .columns
            .iter()
            .map(|entry| {
                let value = |(_, sheet): &(f64, &Sheet<'_>)| {
                    let column = sheet.columns.iter().position(|other| other.name == entry.name)?;
                    let cell = &sheet.rows.iter().find(wanted)?.cells[column];
                    Some(cell.value.as_ref().ok()?.median)
                };
                Series {
                    index: run.entry_index(&entry.name),
                    entry,
                    values: group.iter().map(value).collect(),
                }
            })
            .collect();
        let axes = Axes {
            title: format!("Latency {which} against rate"),
            x_title: "rate offered",
            y_title: "ms".to_owned(),
            corner: "ms at",
            x_ticks: columns.clone(),
            columns: columns.clone(),
        };
        Chart::of(axes, &series)
    });
    let charts: Vec<Chart> = charts.collect();
    (!charts.is_empty()).then(|| Group {
        job: None,
        title: format!("{}: latency against rate", title(rest)),
        cards: Vec::new(),
        charts,
    })
}

/// The number of a rate, a second or in percent.
fn rate(sheet: &Sheet<'_>) -> Option<f64> {
    let text = sheet.load.rate()?;
    let value = serde_json::to_value(text).ok()?;
    value.as_f64().or_else(|| value.as_str()?.trim_end_matches('%').parse().ok())
}

/// Each figure that can be won, its rows the transports of one contender after the other.
fn by_transport(run: &Run, sheets: &[Sheet<'_>], number: usize, job: &Job<'_>) -> Group {
    let sheet = |load: &Load| sheets.iter().position(|sheet| sheet.load == load);
    let card = |compared: &Compared| {
        // Of the same figures, in the same order, by each transport.
        let rows = sheet(job.ways[0].load).map(|at| sheets[at].rows.iter().chain(&sheets[at].costs));
        let figure = rows.and_then(|mut rows| rows.position(|row| row.name == compared.figure.name));
        let load = |way: usize| figure.and_then(|_| sheet(job.ways[way].load));
        Card::by_transport(run, job, compared, figure.unwrap_or(0), load)
    };
    Group {
        job: Some(number),
        title: job.table_title(),
        cards: job.figures.iter().map(card).collect(),
        charts: Vec::new(),
    }
}
