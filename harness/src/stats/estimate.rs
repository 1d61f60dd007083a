use super::median_interval;

/// A figure over several trials, never without its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The median.
    pub median: f64,
    /// The bootstrap's 95 % interval of the median.
    pub interval: (f64, f64),
    /// The smallest and the largest.
    pub spread: (f64, f64),
    /// How many trials.
    pub trials: usize,
}

impl Estimate {
    /// Of these figures, one a trial; `None` if there are none. Figures that are no numbers are a bug of
    /// the caller's, and sort last.
    #[must_use]
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        let median = median(&mut figures)?;
        let spread = (*figures.first()?, *figures.last()?);
        Some(Self { median, interval: median_interval(&figures)?, spread, trials: figures.len() })
    }
}

/// The middle, or half-way between the two in the middle; `None` of nothing. Sorts the figures.
pub(super) fn median(figures: &mut [f64]) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let last = figures.len().checked_sub(1)?;
    Some(f64::midpoint(figures[last / 2], figures[last.div_ceil(2)]))
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
    fn the_error_travels_with_the_median() {
        let estimate = Estimate::of([5.0, 1.0, 9.0]).expect("three figures");
        assert_eq!((estimate.spread, estimate.trials), ((1.0, 9.0), 3));
        assert!(estimate.interval.0 <= estimate.median && estimate.median <= estimate.interval.1);
    }
}
