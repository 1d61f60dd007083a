use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::Seen;
use super::prior::Prior;

/// Noise of a cell: how its trials differ, whatever made them differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Noise {
    /// Standard deviation of one trial.
    pub deviation: f64,
    /// How well it is known: degrees of freedom.
    pub freedom: f64,
}

/// The noise of each cell; `None` where nothing tells it, or there is none.
///
/// A few trials hardly tell how much they vary, so each cell borrows from the others (Smyth, *Linear Models and Empirical
/// Bayes Methods for Assessing Differential Expression in Microarray Experiments*, 2004): the more, the more alike they
/// are, and never more than its own trials count for, so that one noisy cell among quiet ones is not taken for one of them.
pub(super) fn noises(cells: &[Vec<Seen>]) -> Vec<Option<Noise>> {
    let own: Vec<Squares> = cells.iter().map(|cell| Squares::of(cell)).collect();
    let prior = Prior::of(&own);
    let most = freedom(cells);
    own.iter()
        .map(|own| {
            let borrowed = prior.map_or(0.0, |prior| match own.freedom {
                // A single trial has nothing of its own.
                0.0 => prior.freedom,
                freedom => prior.freedom.min(freedom),
            });
            let freedom = own.freedom + borrowed;
            let squares = own.sum + borrowed * prior.map_or(0.0, |prior| prior.variance);
            let deviation = (squares / freedom).sqrt();
            (freedom >= 1.0 && !own.is_still()).then(|| Noise { deviation, freedom: freedom.min(most) })
        })
        .collect()
}

impl Noise {
    /// Half the width of the 95 % interval around the median of so many trials: Student's t, by the error of a median.
    pub(super) fn half_width(&self, trials: usize) -> f64 {
        let t = StudentsT::new(0.0, 1.0, self.freedom).map_or(f64::INFINITY, |t| t.inverse_cdf(0.975));
        t * self.deviation * median_variance(trials).sqrt()
    }
}

/// Squared distances of a cell's trials from their mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Squares {
    /// Their sum.
    pub sum: f64,
    /// Degrees of freedom: trials less one.
    pub freedom: f64,
}

impl Squares {
    fn of(cell: &[Seen]) -> Self {
        let sum = residuals(cell).map(|(_, residual)| residual * residual).sum();
        Self { sum, freedom: (cell.len() as f64 - 1.0).max(0.0) }
    }

    /// Are there several trials, all the same?
    fn is_still(&self) -> bool {
        self.freedom > 0.0 && self.sum == 0.0
    }
}

fn residuals(cell: &[Seen]) -> impl Iterator<Item = (u32, f64)> {
    let mean = cell.iter().map(|seen| seen.value).sum::<f64>() / cell.len() as f64;
    cell.iter().map(move |seen| (seen.round, seen.value - mean))
}

/// How well all cells together tell their noise: what a round has in common moves all its trials at once, so that they
/// are not as many tellers as there are trials. Satterthwaite's degrees of freedom (*An Approximate Distribution of
/// Estimates of Variance Components*, Biometrics Bulletin 2, 1946) of what differs between rounds and within them.
fn freedom(cells: &[Vec<Seen>]) -> f64 {
    let mut rounds: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    let (mut squares, mut freedom) = (0.0, 0.0);
    for cell in cells.iter().filter(|cell| !Squares::of(cell).is_still() && cell.len() > 1) {
        freedom += cell.len() as f64 - 1.0;
        for (round, residual) in residuals(cell) {
            squares += residual * residual;
            let (sum, count) = rounds.entry(round).or_default();
            *sum += residual;
            *count += 1.0;
        }
    }
    let between = (rounds.len() as f64 - 1.0).min(freedom);
    let between_squares = rounds.values().map(|(sum, count)| sum * sum / count).sum::<f64>().min(squares);
    // A single cell has nothing within its rounds.
    let part = |squares: f64, freedom: f64| if freedom > 0.0 { squares * squares / freedom } else { 0.0 };
    let parts = part(between_squares, between) + part(squares - between_squares, freedom - between);
    if parts > 0.0 { squares * squares / parts } else { freedom }
}

/// Variance of the median of so many normal values, of variance 1 each. Of more than ten by its limit, π ÷ 2 n, which is
/// a little more.
fn median_variance(count: usize) -> f64 {
    /// Of 1 to 10, by the distributions of order statistics (Sarhan and Greenberg, *Contributions to Order Statistics*, 1962).
    const OF_FEW: [f64; 10] = [1.0, 0.5, 0.4487, 0.2982, 0.2868, 0.2147, 0.2104, 0.1682, 0.1661, 0.1383];
    let of_many = || std::f64::consts::FRAC_PI_2 / count as f64;
    count.checked_sub(1).and_then(|index| OF_FEW.get(index).copied()).unwrap_or_else(of_many)
}

#[cfg(test)]
mod tests {
    use super::super::{median, normal};
    use super::*;

    fn cells(values: &[&[f64]]) -> Vec<Vec<Seen>> {
        let cell =
            |values: &&[f64]| (1..).zip(*values).map(|(round, &value)| Seen { round, value }).collect();
        values.iter().map(cell).collect()
    }

    #[test]
    fn of_one_cell_it_is_the_standard_deviation() {
        let known = Noise { deviation: 1.0, freedom: 2.0 };
        assert_eq!(noises(&cells(&[&[1.0, 2.0, 3.0]])), [Some(known)]);
        assert_eq!(noises(&cells(&[&[1.0], &[2.0, 2.0], &[]])), [None; 3]);
    }

    #[test]
    fn what_rounds_have_in_common_is_known_no_better_by_more_cells() {
        let common = freedom(&cells(&[&[1.0, 2.0, 3.0], &[11.0, 12.0, 13.0], &[21.0, 22.0, 23.0]]));
        assert!((common - 2.0).abs() < 1e-9, "{common}");
        // Nothing in common: all degrees of freedom, less those of the rounds.
        let own = freedom(&cells(&[&[1.0, 2.0, 3.0], &[2.0, 3.0, 1.0], &[3.0, 1.0, 2.0]]));
        assert!((own - 4.0).abs() < 1e-9, "{own}");
    }

    #[test]
    fn cells_that_are_alike_borrow_as_much_as_they_have_and_an_unlike_one_keeps_its_noise() {
        let alike = noises(&cells(&[&[1.0, 2.0, 3.0, 5.0], &[2.0, 5.0, 1.0, 3.0], &[5.0, 1.0, 3.0, 2.0]]));
        for noise in alike.iter().flatten() {
            assert!(
                (noise.freedom - 6.0).abs() < 1e-9 && (noise.deviation - 1.708).abs() < 1e-3,
                "{noise:?}"
            );
        }
        let quiet: &[f64] = &[1.001, 1.002, 1.003, 1.005];
        let loud = noises(&cells(&[&[1.0, 2.0, 3.0, 5.0], quiet, quiet, quiet]));
        let deviations: Vec<f64> = loud.iter().flatten().map(|noise| noise.deviation).collect();
        assert!(deviations[0] > 1.0 && deviations[1] < 0.1, "{deviations:?}");
    }

    #[test]
    fn the_error_of_a_median_is_as_simulated() {
        let mut random = fastrand::Rng::with_seed(9);
        for count in [1, 2, 3, 4, 5, 6, 7, 10, 15] {
            let mut squares = 0.0;
            for _ in 0..20_000 {
                let mut values: Vec<f64> = (0..count).map(|_| normal(&mut random)).collect();
                squares += median(&mut values).unwrap_or(0.0).powi(2) / 20_000.0;
            }
            let ratio = median_variance(count) / squares;
            assert!((0.97..1.06).contains(&ratio), "{ratio} of {count}");
        }
    }
}
