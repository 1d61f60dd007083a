//! From a figure to a place on paper.

use crate::report::number;

/// Beyond this ratio of the largest to the smallest a linear scale would press the small ones together.
const LOG_BEYOND: f64 = 30.0;

/// An axis: linear from 0, or logarithmic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    pub is_log: bool,
}

impl Scale {
    /// Of these values, linear from 0 unless they lie too far apart; `None` without a value to draw.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (low, high) = range(values)?;
        let is_log = low > 0.0 && high / low > LOG_BEYOND;
        Some(if is_log { Self { low, high, is_log } } else { Self { low: 0.0, high, is_log } })
    }

    /// Logarithmic, of those values that are greater than 0.
    pub fn log(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (low, high) = range(values.into_iter().filter(|value| *value > 0.0))?;
        // One value alone gets a scale around it.
        let (low, high) = if low < high { (low, high) } else { (low / 2.0, high * 2.0) };
        Some(Self { low, high, is_log: true })
    }

    /// Where a value lies, from 0 to 1.
    pub fn at(&self, value: f64) -> f64 {
        let Self { low, high, is_log } = *self;
        let share =
            if is_log { (value / low).ln() / (high / low).ln() } else { (value - low) / (high - low) };
        share.clamp(0.0, 1.0)
    }

    /// Its two ends, as they are written.
    pub fn ends(&self) -> (String, String) {
        (number(self.low), number(self.high))
    }

    /// Round values within it, with their texts.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let values = if self.is_log { self.powers() } else { self.steps() };
        values.into_iter().map(|value| (self.at(value), plain(value))).collect()
    }

    fn powers(&self) -> Vec<f64> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let within = |multiples: &[f64]| -> Vec<f64> {
            (first..=last)
                .flat_map(|power| multiples.iter().map(move |multiple| multiple * 10_f64.powi(power)))
                .filter(|value| (self.low..=self.high).contains(value))
                .collect()
        };
        let decades = within(&[1.0]);
        if decades.len() > 3 { decades } else { within(&[1.0, 2.0, 5.0]) }
    }

    fn steps(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / 4.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        (0..=(self.high / step) as u32).map(|i| f64::from(i) * step).collect()
    }
}

fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let mut range: Option<(f64, f64)> = None;
    for value in values.into_iter().filter(|value| value.is_finite() && *value >= 0.0) {
        let (low, high) = range.unwrap_or((value, value));
        range = Some((low.min(value), high.max(value)));
    }
    range.filter(|(_, high)| *high > 0.0)
}

/// A round value without the digits that say nothing.
fn plain(value: f64) -> String {
    let text = number(value);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_begins_at_nothing_unless_its_values_lie_far_apart() {
        let near = Scale::of([10.0, 20.0]).expect("values");
        assert_eq!((near.is_log, near.at(0.0), near.at(10.0), near.at(20.0)), (false, 0.0, 0.5, 1.0));
        let far = Scale::of([1.0, 100.0]).expect("values");
        assert_eq!((far.is_log, far.at(1.0), far.at(10.0), far.at(100.0)), (true, 0.0, 0.5, 1.0));
        assert_eq!((Scale::of([]), Scale::of([0.0]), Scale::of([f64::NAN])), (None, None, None));
    }

    #[test]
    fn ticks_are_round_and_within() {
        let texts = |scale: Scale| scale.ticks().into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(Scale::of([245_000.0]).expect("a value")), ["0", "100,000", "200,000"]);
        assert_eq!(texts(Scale::log([0.2, 11.0]).expect("values")), ["0.2", "0.5", "1", "2", "5", "10"]);
        assert_eq!(texts(Scale::log([0.005, 50.0]).expect("values")), ["0.01", "0.1", "1", "10"]);
    }
}
