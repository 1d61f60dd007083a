//! Intervals of where one sample lies.

use harness::stats::median_interval;

use super::{Estimator, Interval, Noise, between, beyond, mean, median, sorted, squares, trimmed};

/// Where this sample lies; `noise` is that of all contenders.
pub(super) fn interval(estimator: Estimator, values: &[f64], noise: Noise) -> Interval {
    let count = values.len() as f64;
    match estimator {
        Estimator::Mean => {
            let error = (squares(values) / (count - 1.0) / count).sqrt();
            Interval::student(mean(values), error, count - 1.0)
        }
        Estimator::MeanPooled => {
            Interval::student(mean(values), noise.deviation / count.sqrt(), noise.freedom)
        }
        Estimator::Median => {
            let estimate = median(&sorted(values.to_vec()));
            let (low, high) = median_interval(values).unwrap_or((estimate, estimate));
            Interval { estimate, low, high }
        }
        Estimator::Trimmed => {
            let (estimate, squares, kept) = trimmed(values);
            let error = (squares / (count - 1.0)).sqrt() / (kept / count * count.sqrt());
            Interval::student(estimate, error, kept - 1.0)
        }
        Estimator::HodgesLehmann => between(walsh_averages(values), beyond(signed_ranks(values.len()))),
    }
}

/// What the estimator says of the sample, without an interval.
pub(super) fn estimate(estimator: Estimator, values: &[f64]) -> f64 {
    match estimator {
        Estimator::Mean | Estimator::MeanPooled => mean(values),
        Estimator::Median => median(&sorted(values.to_vec())),
        Estimator::Trimmed => trimmed(values).0,
        Estimator::HodgesLehmann => median(&sorted(walsh_averages(values))),
    }
}

/// The means of all pairs, each value with itself too.
fn walsh_averages(values: &[f64]) -> Vec<f64> {
    let pairs = values.iter().enumerate();
    pairs.flat_map(|(number, a)| values[number..].iter().map(move |b| f64::midpoint(*a, *b))).collect()
}

/// Wilcoxon's statistic for every way in which the signs may fall.
fn signed_ranks(count: usize) -> Vec<usize> {
    let sum = |signs: usize| (0..count).filter(|rank| signs >> rank & 1 == 1).map(|rank| rank + 1).sum();
    (0..1 << count).map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intervals_are_those_of_the_textbooks() {
        let noise = Noise { deviation: 1.0, freedom: 10.0 };
        let of = |estimator, values: &[f64]| interval(estimator, values, noise);
        // t of 2 degrees of freedom: 4.303; of 10: 2.228.
        let values = [1.0, 2.0, 3.0];
        assert!((of(Estimator::Mean, &values).high - 2.0 - 4.303 / 3_f64.sqrt()).abs() < 1e-3);
        assert!((of(Estimator::MeanPooled, &values).low - 2.0 + 2.228 / 3_f64.sqrt()).abs() < 1e-3);
        assert_eq!((of(Estimator::Median, &values).low, of(Estimator::Median, &values).high), (1.0, 3.0));
        // Of seven, P(W+ ≤ 2) = 3/128 ≤ 2.5 %: from the third average to the third from above (Hollander and Wolfe, table A.4).
        let seven = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
        let averages = sorted(walsh_averages(&seven));
        let ranks = of(Estimator::HodgesLehmann, &seven);
        assert_eq!((ranks.low, ranks.high), (averages[2], averages[averages.len() - 3]));
        // Of five without the extremes; winsorised: 2, 2, 3, 4, 4.
        let trimmed = of(Estimator::Trimmed, &[-90.0, 2.0, 3.0, 4.0, 50.0]);
        let error = (4.0_f64 / 4.0).sqrt() / (0.6 * 5_f64.sqrt());
        assert!(
            (trimmed.estimate - 3.0).abs() < 1e-9
                && (trimmed.half_width() / (4.303 * error) - 1.0).abs() < 1e-3
        );
    }
}
