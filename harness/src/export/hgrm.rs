use std::fmt::Write as _;

use loadgen::Distribution;

use super::Export;
use crate::names::slug;
use crate::report::shown;
use crate::results::{Run, States};

/// Lines for each halving of the distance to 100 %: HdrHistogram's own default.
const TICKS_PER_HALF_DISTANCE: u32 = 5;
const NS_PER_MS: f64 = 1e6;

/// The latencies of each cell, its rounds merged: those that the tables show.
pub(super) fn distributions(run: &Run) -> Vec<Export> {
    let (mut exports, states) = (Vec::new(), States::of(&run.trials));
    for (number, load) in (1..).zip(&run.header.profile.loads) {
        for entry in &run.header.contenders {
            let mut merged = Distribution::new();
            for (_, measured) in shown(run, &states, entry, load) {
                merged.merge(&measured.measurement.latency);
            }
            if merged.count() > 0 {
                let file = format!("{number:02}-{}-{}.hgrm", slug(&load.to_string()), slug(&entry.name));
                exports.push(Export { file, text: percentiles(&merged) });
            }
        }
    }
    exports
}

/// The text that `outputPercentileDistribution` of HdrHistogram's Java version writes, with a scaling ratio from ns to
/// ms: what its plotter reads (`AbstractHistogram.java`, `plotFiles.html`).
fn percentiles(distribution: &Distribution) -> String {
    let histogram = distribution.histogram();
    let digits = usize::from(histogram.sigfig());
    let ms = |ns: u64| ns as f64 / NS_PER_MS;
    let mut text =
        format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    let mut count = 0;
    for tick in histogram.iter_quantiles(TICKS_PER_HALF_DISTANCE) {
        count += tick.count_since_last_iteration();
        let (value, share) = (ms(tick.value_iterated_to()), tick.quantile_iterated_to());
        let _ = write!(text, "{value:12.digits$} {share:2.12} {count:10}");
        let _ = if share < 1.0 { writeln!(text, " {:14.2}", 1.0 / (1.0 - share)) } else { writeln!(text) };
    }
    // The smallest power of two that tells so many digits apart, and that twice.
    let sub_buckets = (2 * 10_u64.pow(u32::from(histogram.sigfig()))).next_power_of_two();
    let (mean, deviation) = (histogram.mean() / NS_PER_MS, histogram.stdev() / NS_PER_MS);
    let _ = writeln!(text, "#[Mean    = {mean:12.digits$}, StdDeviation   = {deviation:12.digits$}]");
    let _ = writeln!(text, "#[Max     = {:12.digits$}, Total count    = {count:12}]", ms(histogram.max()));
    let _ = writeln!(text, "#[Buckets = {:12}, SubBuckets     = {sub_buckets:12}]", histogram.buckets());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_written_as_the_java_version_writes_it() {
        let mut distribution = Distribution::new();
        for _ in 0..3 {
            distribution.record_ns(1_000_000);
        }
        distribution.record_ns(2_000_000);
        // By hand from AbstractHistogram.java: a value is the largest that its bucket does not tell apart.
        let expected = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n\
                        \x20      1.000 0.000000000000          3           1.00\n\
                        \x20      1.000 0.100000000000          3           1.11\n";
        let text = percentiles(&distribution);
        assert!(text.starts_with(expected), "{text}");
        // 2,048 sub-buckets, doubled ten times, reach beyond 2,000,000 ns.
        let last = "       2.001 1.000000000000          4\n\
                    #[Mean    =        1.250, StdDeviation   =        0.433]\n\
                    #[Max     =        2.001, Total count    =            4]\n\
                    #[Buckets =           11, SubBuckets     =         2048]\n";
        assert!(text.ends_with(last), "{text}");
    }
}
