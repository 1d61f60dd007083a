use anyhow::Result;
use serde::Serialize;

use super::Export;
use crate::names::slug;
use crate::report::{Figure, estimated, figures, number};
use crate::results::{Entry, Run, States};
use crate::stats::Estimate;

/// An entry of the array that github-action-benchmark takes for its "custom" tools.
#[derive(Serialize)]
struct Benchmark {
    name: String,
    unit: String,
    value: f64,
    range: String,
    extra: String,
}

/// The medians of all figures by which contenders are ranked; in two files, since the action is told once for a file
/// whether less or more is better. The control is no contender, and is left out.
pub(super) fn medians(run: &Run) -> Result<Vec<Export>> {
    let name = slug(&run.header.name);
    let file = |end: &str, better: f64| -> Result<Export> {
        Ok(Export {
            file: format!("{name}.{end}.json"),
            text: format!("{}\n", serde_json::to_string_pretty(&benchmarks(run, better))?),
        })
    };
    Ok(vec![file("smaller-is-better", -1.0)?, file("bigger-is-better", 1.0)?])
}

fn benchmarks(run: &Run, better: f64) -> Vec<Benchmark> {
    let (mut all, states) = (Vec::new(), States::of(&run.trials));
    for load in &run.header.profile.loads {
        for figure in figures(load).into_iter().filter(|figure| figure.better == Some(better)) {
            let columns: Vec<&Entry> = run.header.contenders.iter().collect();
            let cells = columns.iter().zip(estimated(run, &states, load, &columns, figure.of));
            for (entry, estimate) in cells.filter(|(entry, _)| !entry.is_control()) {
                let Some(Estimate { median, interval: (low, high), trials, .. }) = estimate else { continue };
                let (what, unit) = name_and_unit(figure);
                all.push(Benchmark {
                    name: format!("{load} / {} / {what}", entry.name),
                    unit: unit.to_owned(),
                    value: median,
                    range: format!("{}–{}", number(low), number(high)),
                    extra: format!(
                        "median of {trials} trials and its 95 % interval\n{}",
                        run.header.environment.commit.as_deref().unwrap_or("commit unknown")
                    ),
                });
            }
        }
    }
    all
}

/// `Latency p99 (ms)` is the name and the unit; `Deliveries/s` is both.
fn name_and_unit(figure: &Figure) -> (&'static str, &'static str) {
    let parts = figure.name.strip_suffix(')').and_then(|name| name.rsplit_once(" ("));
    parts.unwrap_or((figure.name, figure.name))
}
