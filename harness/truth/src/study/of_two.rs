//! Intervals of what two samples that were not taken together differ by.

use super::{Estimator, Interval, Noise, between, beyond, mean, median, of_one, sorted, squares, trimmed};

/// Resamples behind a bootstrap's interval.
const RESAMPLES: usize = 500;

/// What `a` is more than `b`, two samples of one size; `noise` is that of all contenders.
pub(super) fn interval(estimator: Estimator, a: &[f64], b: &[f64], noise: Noise) -> Interval {
    let count = a.len() as f64;
    match estimator {
        Estimator::Mean => {
            welch(mean(a) - mean(b), [a, b].map(|s| squares(s) / (count - 1.0) / count), count - 1.0)
        }
        Estimator::MeanPooled => {
            Interval::student(mean(a) - mean(b), noise.deviation * (2.0 / count).sqrt(), noise.freedom)
        }
        Estimator::Median => bootstrap(a, b),
        Estimator::Trimmed => {
            let ((one, squares_a, kept), (other, squares_b, _)) = (trimmed(a), trimmed(b));
            welch(
                one - other,
                [squares_a, squares_b].map(|squares| squares / (kept * (kept - 1.0))),
                kept - 1.0,
            )
        }
        Estimator::HodgesLehmann => between(differences(a, b), beyond(rank_sums(a.len()))),
    }
}

/// What the estimator says they differ by, without an interval.
pub(super) fn estimate(estimator: Estimator, a: &[f64], b: &[f64]) -> f64 {
    match estimator {
        Estimator::HodgesLehmann => median(&sorted(differences(a, b))),
        other => of_one::estimate(other, a) - of_one::estimate(other, b),
    }
}

/// Welch's t, or Yuen's: the squared error of either sample, and its degrees of freedom.
fn welch(difference: f64, errors: [f64; 2], freedom: f64) -> Interval {
    let sum = errors[0] + errors[1];
    let freedom = sum * sum / errors.map(|error| error * error / freedom).iter().sum::<f64>();
    Interval::student(difference, sum.sqrt(), freedom)
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().flat_map(|a| b.iter().map(move |b| a - b)).collect()
}

fn bootstrap(a: &[f64], b: &[f64]) -> Interval {
    let mut random = fastrand::Rng::with_seed(0x5eed);
    let mut again = |values: &[f64]| {
        median(&sorted(values.iter().map(|_| values[random.usize(..values.len())]).collect()))
    };
    let all = sorted((0..RESAMPLES).map(|_| again(a) - again(b)).collect());
    let at = |share: f64| all[(share * (RESAMPLES - 1) as f64).round() as usize];
    Interval { estimate: estimate(Estimator::Median, a, b), low: at(0.025), high: at(0.975) }
}

/// Mann and Whitney's statistic for every way in which two samples of this size may be ordered.
fn rank_sums(count: usize) -> Vec<usize> {
    let of_first = |order: &usize| order.count_ones() as usize == count;
    let places = |order: usize| (0..2 * count).filter(move |place| order >> place & 1 == 1);
    let statistic = |order| places(order).sum::<usize>() - count * (count - 1) / 2;
    (0..1 << (2 * count)).filter(of_first).map(statistic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intervals_are_those_of_the_textbooks() {
        let noise = Noise { deviation: 1.0, freedom: 10.0 };
        let (a, b) = ([1.0, 2.0, 3.0], [11.0, 12.0, 13.0]);
        // Equal variances: Welch's t has all 4 degrees of freedom, 2.776.
        let welch = interval(Estimator::Mean, &a, &b, noise);
        assert!((welch.estimate + 10.0).abs() < 1e-9);
        assert!((welch.half_width() - 2.776 * (2.0_f64 / 3.0).sqrt()).abs() < 1e-3, "{welch:?}");
        // Nothing is trimmed of three.
        let yuen = interval(Estimator::Trimmed, &a, &b, noise);
        assert!((yuen.half_width() - welch.half_width()).abs() < 1e-9);
        // Five and five: P(U ≤ 2) = 4/252 ≤ 2.5 %, P(U ≤ 3) = 7/252 is more (Mann and Whitney, table I).
        assert_eq!(beyond(rank_sums(5)), 2);
        assert_eq!(beyond(rank_sums(3)), 0, "of three and three it is their whole range");
        for estimator in Estimator::ALL {
            assert!(interval(estimator, &a, &b, noise).holds(estimate(estimator, &a, &b)), "{estimator:?}");
        }
    }
}
