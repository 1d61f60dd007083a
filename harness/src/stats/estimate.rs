use super::noise::{Noise, noises};

/// A trial's figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The round that it was taken in.
    pub round: u32,
    /// The figure.
    pub value: f64,
}

/// A figure over several trials, never without its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The median.
    pub median: f64,
    /// Its 95 % interval, see [`estimates`].
    pub interval: (f64, f64),
    /// The smallest and the largest.
    pub spread: (f64, f64),
    /// How many trials.
    pub trials: usize,
}

/// The cells of one figure under one load: a contender's trials each; `None` for one without.
///
/// The median has an interval by Student's t; the noise of a cell is told by its own trials and by those of the others. Where
/// no figure is 0 or less it is on the logarithm, so that what cells have in common are ratios; otherwise each cell has its
/// own noise, and ends at 0 if none of its figures is below. A cell whose trials are all the same has none.
#[must_use]
pub fn estimates(cells: &[Vec<Seen>]) -> Vec<Option<Estimate>> {
    if cells.iter().flatten().all(|seen| seen.value > 0.0) {
        of_scaled(cells, f64::ln, f64::exp)
    } else {
        let alone = |cell: &Vec<Seen>| of_scaled(std::slice::from_ref(cell), |value| value, |value| value);
        cells.iter().flat_map(alone).collect()
    }
}

fn of_scaled(cells: &[Vec<Seen>], scale: fn(f64) -> f64, back: fn(f64) -> f64) -> Vec<Option<Estimate>> {
    let scaled =
        |cell: &Vec<Seen>| cell.iter().map(|seen| Seen { value: scale(seen.value), ..*seen }).collect();
    let noises = noises(&cells.iter().map(scaled).collect::<Vec<_>>());
    let estimate = |(cell, noise): (&Vec<Seen>, Option<Noise>)| {
        let mut values: Vec<f64> = cell.iter().map(|seen| seen.value).collect();
        let median = median(&mut values)?;
        // What was never below 0 cannot be: times, counts.
        let least = if values[0] < 0.0 { f64::NEG_INFINITY } else { 0.0 };
        let around = |noise: Noise| {
            let half_width = noise.half_width(cell.len());
            (back(scale(median) - half_width).max(least), back(scale(median) + half_width))
        };
        Some(Estimate {
            median,
            interval: noise.map_or((median, median), around),
            spread: (values[0], values[values.len() - 1]),
            trials: cell.len(),
        })
    };
    cells.iter().zip(noises).map(estimate).collect()
}

impl Estimate {
    /// The longer side of the interval ÷ the figure.
    #[must_use]
    pub fn relative_half_width(&self) -> f64 {
        let (low, high) = self.interval;
        let longer = (self.median - low).max(high - self.median);
        if longer > 0.0 { longer / self.median.abs() } else { 0.0 }
    }
}

/// The middle, or half-way between the two in the middle; `None` of nothing. Sorts the figures.
#[must_use]
pub fn median(figures: &mut [f64]) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let last = figures.len().checked_sub(1)?;
    Some(f64::midpoint(figures[last / 2], figures[last.div_ceil(2)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(values: &[f64]) -> Vec<Seen> {
        (1..).zip(values).map(|(round, &value)| Seen { round, value }).collect()
    }

    fn one(values: &[f64]) -> Estimate {
        estimates(&[cell(values)])[0].expect("figures")
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&mut []), None);
        assert_eq!(estimates(&[Vec::new()]), [None]);
    }

    #[test]
    fn the_error_travels_with_the_median() {
        let estimate = one(&[5.0, 1.0, 9.0]);
        assert_eq!((estimate.median, estimate.spread, estimate.trials), (5.0, (1.0, 9.0), 3));
        let (low, high) = estimate.interval;
        // On the logarithm it is as far to either side: a ratio.
        assert!((5.0 / low - high / 5.0).abs() < 1e-9 && low < 1.0, "{estimate:?}");
        assert!((estimate.relative_half_width() - (high / 5.0 - 1.0)).abs() < 1e-9);
    }

    #[test]
    fn a_single_trial_has_the_noise_of_the_others_and_alone_none() {
        assert_eq!(one(&[5.0]).interval, (5.0, 5.0));
        let several = || cell(&[100.0, 101.0, 102.0]);
        let found = estimates(&[several(), several(), several(), cell(&[7.0])]);
        let widths: Vec<f64> = found.iter().flatten().map(Estimate::relative_half_width).collect();
        assert!(widths[3] > widths[0] && widths[3] < 0.1, "{widths:?}");
    }

    #[test]
    fn what_is_always_the_same_has_no_noise_and_adds_none() {
        let cells = [cell(&[10.0, 10.0, 10.0]), cell(&[7.0, 8.0, 9.0])];
        let [same, other] = estimates(&cells).try_into().expect("two");
        assert_eq!(same.expect("figures").interval, (10.0, 10.0));
        assert_eq!(other, Some(one(&[7.0, 8.0, 9.0])));
        // Counts of what never happened, beside some that did.
        let [none, some] =
            estimates(&[cell(&[0.0, 0.0, 0.0]), cell(&[0.0, 1.0, 2.0])]).try_into().expect("two");
        assert_eq!(none.expect("figures").interval, (0.0, 0.0));
        assert!(some.is_some_and(|some| some.interval.0 == 0.0 && some.interval.1 > 2.0), "{some:?}");
    }
}
