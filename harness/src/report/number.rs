//! Numbers as people read them.

use crate::stats::Estimate;

/// Four significant digits, thousands parted by commas: more would be noise.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let unit = 10_f64.powi((magnitude - 3).max(0));
    let decimals = (3 - magnitude).clamp(0, 6) as usize;
    let text = format!("{:.decimals$}", if unit > 1.0 { (value / unit).round() * unit } else { value });
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{fraction}")
}

/// The median, and behind it its interval.
#[must_use]
pub(super) fn estimate(estimate: &Estimate) -> String {
    let median = number(estimate.median);
    range(estimate).map_or(median.clone(), |range| format!("{median} ({range})"))
}

/// The interval of the median; none of one trial, or of one that does not differ from the median in the digits shown.
#[must_use]
pub(crate) fn range(estimate: &Estimate) -> Option<String> {
    let median = number(estimate.median);
    let (low, high) = (number(estimate.interval.0), number(estimate.interval.1));
    (low != median || high != median).then(|| format!("{low}–{high}"))
}

/// How far the interval reaches from the median at the most, ` ± 2.1 %`, for where both of its ends do not fit; nothing if it cannot be seen.
#[must_use]
pub(crate) fn plus_minus(estimate: &Estimate) -> String {
    let percent = estimate.relative_half_width() * 100.0;
    match percent {
        _ if percent >= 10.0 => format!(" ± {percent:.0} %"),
        _ if percent >= 0.05 => format!(" ± {percent:.1} %"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.012345, "0.01235"),
            (1.0, "1.000"),
            (6.54321, "6.543"),
            (123.456, "123.5"),
            (9_999.9, "10,000"),
            (105_312.0, "105,300"),
            (1_234_567.0, "1,235,000"),
            (-1_234.9, "-1,235"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_median_shows_its_interval_if_it_can_be_seen() {
        let shown = |median, interval| estimate(&Estimate { median, interval, spread: interval, trials: 3 });
        assert_eq!(shown(2.0, (1.0, 3.0)), "2.000 (1.000–3.000)");
        assert_eq!(shown(2.0, (2.0, 2.0)), "2.000");
        assert_eq!(shown(2.0, (1.99999, 2.00001)), "2.000");
        assert_eq!(shown(0.0, (0.0, 0.0)), "0");
    }

    #[test]
    fn how_far_an_interval_reaches_has_two_digits() {
        let shown = |low, high| {
            plus_minus(&Estimate { median: 100.0, interval: (low, high), spread: (low, high), trials: 3 })
        };
        assert_eq!(shown(98.5, 102.1), " ± 2.1 %");
        assert_eq!(shown(70.0, 120.4), " ± 30 %");
        assert_eq!(shown(100.0, 100.04), "");
    }
}
