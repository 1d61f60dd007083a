//! How an open loop went second by second, so that a spike at its start or a decay is seen.

use loadgen::Second;

use super::number::number;
use super::standing::shown;
use crate::plan::Load;
use crate::results::{Entry, Run, States};
use crate::stats;

/// Of a second: in ms or a second; `None`: nothing arrived.
pub(crate) type Read = fn(&Second) -> Option<f64>;

const RATE: Read = |second| Some(second.messages as f64);
pub(crate) const MEDIAN_MS: Read = |second| Some(second.p50_ns? as f64 / 1e6);
pub(crate) const P99_MS: Read = |second| Some(second.p99_ns? as f64 / 1e6);

const ECHO: [(&str, Read); 3] = [
    ("Replies/s by second", RATE),
    ("Latency median by second (ms)", MEDIAN_MS),
    ("Latency p99 by second (ms)", P99_MS),
];
const BROADCAST: [(&str, Read); 3] = [
    ("Deliveries/s by second", RATE),
    ("Delivery latency median by second (ms)", MEDIAN_MS),
    ("Delivery latency p99 by second (ms)", P99_MS),
];

/// Eighths of a line's height.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The rows of an open loop, none of a closed one. Each cell: the medians over the rounds as blocks, from 0 to the
/// highest, and their range.
pub(super) fn seconds(run: &Run, columns: &[&Entry], load: &Load) -> Vec<(String, Vec<String>)> {
    let rows = match load {
        Load::Echo { rate: Some(_), .. } => ECHO,
        Load::Broadcast { rate: Some(_), .. } | Load::Chat { rate: Some(_), .. } => BROADCAST,
        _ => return Vec::new(),
    };
    let row = |(name, read): (&str, Read)| {
        let cells = columns.iter().map(|entry| cell(&medians(run, entry, load, read)));
        (name.to_owned(), cells.collect())
    };
    rows.into_iter().map(row).collect()
}

/// Second by second the median over the rounds. A second in part, which may be the last, is left out.
pub(crate) fn medians(run: &Run, entry: &Entry, load: &Load, read: Read) -> Vec<Option<f64>> {
    let trials: Vec<&[Second]> = shown(run, &States::of(&run.trials), entry, load)
        .into_iter()
        .map(|(_, measured)| {
            let series = &measured.measurement.series;
            let whole = measured.measurement.seconds.floor() as usize;
            &series[..whole.min(series.len())]
        })
        .collect();
    let longest = trials.iter().map(|series| series.len()).max().unwrap_or(0);
    let median = |number: usize| {
        let mut figures: Vec<f64> = trials.iter().filter_map(|series| read(series.get(number)?)).collect();
        stats::median(&mut figures)
    };
    (0..longest).map(median).collect()
}

fn cell(medians: &[Option<f64>]) -> String {
    let known = || medians.iter().copied().flatten();
    let (Some(least), Some(most)) = (known().reduce(f64::min), known().reduce(f64::max)) else {
        return "–".to_owned();
    };
    let block = |median: &Option<f64>| match median {
        None => ' ',
        Some(value) if most > 0.0 => BLOCKS[((value / most * 7.0).round() as usize).min(7)],
        Some(_) => BLOCKS[0],
    };
    let line: String = medians.iter().map(block).collect();
    let (least, most) = (number(least), number(most));
    if least == most { format!("{line} {least}") } else { format!("{line} {least}–{most}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_and_a_second_without_a_reply_are_seen() {
        assert_eq!(cell(&[Some(10.0), Some(80.0), None, Some(20.0)]), "▂█ ▃ 10.00–80.00");
        assert_eq!(cell(&[Some(3.0), Some(3.0)]), "██ 3.000");
        assert_eq!(cell(&[Some(0.0)]), "▁ 0");
        assert_eq!((cell(&[]), cell(&[None])), ("–".to_owned(), "–".to_owned()));
    }
}
