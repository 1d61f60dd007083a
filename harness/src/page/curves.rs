//! The charts of a load's latencies.

use loadgen::Distribution;

use super::chart::{Axes, Chart, Series};
use crate::plan::Load;
use crate::report::{MEDIAN_MS, P99_MS, Read, Sheet, medians, shown};
use crate::results::{Entry, Run, States};
use crate::stats;

/// A percentile as a share, and as it is called.
type Percentile = (f64, &'static str);

/// The percentiles that are drawn.
const PERCENTILES: [Percentile; 11] = [
    (0.25, "25"),
    (0.5, "50"),
    (0.75, "75"),
    (0.9, "90"),
    (0.95, "95"),
    (0.99, "99"),
    (0.995, "99.5"),
    (0.999, "99.9"),
    (0.9995, "99.95"),
    (0.9999, "99.99"),
    (0.99999, "99.999"),
];

/// Those of them that the axis names, and of which alone a long run's charts are made.
const NAMED: [&str; 5] = ["50", "90", "99", "99.9", "99.99"];

/// The percentiles of a cell's latency, in ms: of each the median over the trials that the tables show. A
/// percentile beyond all but one of a trial's messages is not drawn: that is its maximum.
fn percentiles(run: &Run, entry: &Entry, load: &Load, drawn: &[Percentile]) -> Vec<Option<f64>> {
    let trials = shown(run, &States::of(&run.trials), entry, load);
    let trials: Vec<&Distribution> =
        trials.into_iter().map(|(_, measured)| &measured.measurement.latency).collect();
    let least = trials.iter().map(|latency| latency.count()).min().unwrap_or(0) as f64;
    let median = |share: f64| {
        let value = |latency: &&Distribution| Some(latency.quantile_ns(share)? as f64 / 1e6);
        stats::median(&mut trials.iter().filter_map(value).collect::<Vec<_>>())
    };
    drawn.iter().map(|&(share, _)| if (1.0 - share) * least >= 1.0 { median(share) } else { None }).collect()
}

/// The charts of one load: latency by percentile, and, but of a long run, over time
/// where there are seconds to compare.
pub(super) fn charts(run: &Run, sheet: &Sheet<'_>, is_thin: bool) -> Vec<Chart> {
    let mut drawn = PERCENTILES.to_vec();
    drawn.retain(|(_, name)| !is_thin || NAMED.contains(name));
    let by_percentile =
        by_percentile(&drawn, &series(run, sheet, |entry| percentiles(run, entry, sheet.load, &drawn)));
    let over_time = [("Latency median over time", MEDIAN_MS), ("Latency p99 over time", P99_MS)];
    let over_time = if is_thin { &[] } else { over_time.as_slice() };
    let over_time = over_time.iter().filter_map(|&(title, read): &(&str, Read)| {
        over_time_of(title, &series(run, sheet, |entry| medians(run, entry, sheet.load, read)))
    });
    by_percentile.into_iter().chain(over_time).collect()
}

fn series<'a>(run: &Run, sheet: &Sheet<'a>, values: impl Fn(&Entry) -> Vec<Option<f64>>) -> Vec<Series<'a>> {
    let of = |entry: &&'a Entry| Series { index: run.entry_index(&entry.name), entry, values: values(entry) };
    sheet.columns.iter().map(of).collect()
}

/// As far as one of them has a value.
fn by_percentile(percentiles: &[Percentile], series: &[Series<'_>]) -> Option<Chart> {
    let last =
        (0..percentiles.len()).filter(|i| series.iter().any(|series| series.values[*i].is_some())).max()?;
    let nines = |share: f64| -(1.0 - share).log10();
    let first = nines(percentiles[0].0);
    let at = |share: f64| (nines(share) - first) / (nines(percentiles[last].0) - first);
    let columns: Vec<(f64, String)> =
        percentiles[..=last].iter().map(|(share, name)| (at(*share), (*name).to_owned())).collect();
    let cut: Vec<Series<'_>> =
        series.iter().map(|series| Series { values: series.values[..=last].to_vec(), ..*series }).collect();
    let axes = Axes {
        title: "Latency by percentile".to_owned(),
        x_title: "percentile",
        y_title: "ms".to_owned(),
        corner: "ms at percentile",
        x_ticks: columns.iter().filter(|(_, name)| NAMED.contains(&name.as_str())).cloned().collect(),
        columns,
    };
    Chart::of(axes, &cut)
}

fn over_time_of(title: &str, series: &[Series<'_>]) -> Option<Chart> {
    let seconds = series.iter().map(|series| series.values.len()).max().filter(|seconds| *seconds > 1)?;
    let at = |second: usize| (second as f64 + 0.5) / seconds as f64;
    let columns: Vec<(f64, String)> =
        (0..seconds).map(|second| (at(second), (second + 1).to_string())).collect();
    let every = seconds.div_ceil(10);
    let axes = Axes {
        title: title.to_owned(),
        x_title: "second of the measured time",
        y_title: "ms".to_owned(),
        corner: "ms in second",
        x_ticks: columns.iter().step_by(every).cloned().collect(),
        columns,
    };
    let padded: Vec<Series<'_>> = series
        .iter()
        .map(|series| {
            let mut values = series.values.clone();
            values.resize(seconds, None);
            Series { values, ..*series }
        })
        .collect();
    Chart::of(axes, &padded)
}
