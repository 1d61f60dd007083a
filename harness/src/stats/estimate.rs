/// A figure over several trials, never without its spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// How many trials.
    pub trials: usize,
}

impl Estimate {
    /// Of these figures, one a trial; `None` if there are none. Figures that are no numbers are a bug of
    /// the caller's, and sort last.
    #[must_use]
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (&low, &high) = (sorted.first()?, sorted.last()?);
        let trials = sorted.len();
        let median = f64::midpoint(sorted[(trials - 1) / 2], sorted[trials / 2]);
        Some(Self { median, low, high, trials })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        let median = |figures: &[f64]| Estimate::of(figures.iter().copied()).map(|estimate| estimate.median);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn the_spread_travels_with_the_median() {
        let estimate = Estimate::of([5.0, 1.0, 9.0]).expect("three figures");
        assert_eq!((estimate.low, estimate.high, estimate.trials), (1.0, 9.0, 3));
    }
}
