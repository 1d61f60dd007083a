//! Which estimator has the narrowest interval that is honest, on recorded rounds?
//!
//! Of many recorded rounds a few are drawn, again and again, as if a run had had no more. Each estimator makes an interval
//! of them, which is honest if it holds what the same estimator says of all rounds in 95 of 100 draws.

mod draws;
mod of_one;
mod of_two;
mod rounds;
mod table;

pub(crate) use rounds::keep;
pub(crate) use table::table;

use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// An estimate with an interval that should hold the truth in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Interval {
    estimate: f64,
    low: f64,
    high: f64,
}

impl Interval {
    fn around(estimate: f64, half_width: f64) -> Self {
        Self { estimate, low: estimate - half_width, high: estimate + half_width }
    }

    /// Student's t for this standard error.
    fn student(estimate: f64, error: f64, freedom: f64) -> Self {
        let t = StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |t| t.inverse_cdf(0.975));
        Self::around(estimate, t * error)
    }

    fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    fn holds(&self, truth: f64) -> bool {
        (self.low..=self.high).contains(&truth)
    }
}

/// The estimators, each with the interval that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Estimator {
    /// Mean, Student's t.
    Mean,
    /// Mean, Student's t with the noise pooled over all contenders of the load.
    MeanPooled,
    /// Median, percentile bootstrap.
    Median,
    /// Mean without the lowest and the highest fifth, t of Tukey and McLaughlin; of two samples, Yuen's.
    Trimmed,
    /// Hodges and Lehmann's, with the interval of Wilcoxon's signed ranks; of two samples, of his rank sums.
    HodgesLehmann,
}

impl Estimator {
    const ALL: [Self; 5] = [Self::Mean, Self::MeanPooled, Self::Median, Self::Trimmed, Self::HodgesLehmann];

    fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean, t",
            Self::MeanPooled => "mean, t, noise pooled over contenders",
            Self::Median => "median, bootstrap",
            Self::Trimmed => "trimmed mean, t",
            Self::HodgesLehmann => "Hodges–Lehmann, ranks",
        }
    }
}

/// Noise of a load: its standard deviation, and how well that is known.
#[derive(Debug, Clone, Copy)]
struct Noise {
    deviation: f64,
    freedom: f64,
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Sum of the squared distances from the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

fn median(sorted: &[f64]) -> f64 {
    let last = sorted.len() - 1;
    f64::midpoint(sorted[last / 2], sorted[last.div_ceil(2)])
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// A sample without its extremes: the trimmed mean, the winsorised squares, and how many values were kept.
fn trimmed(values: &[f64]) -> (f64, f64, f64) {
    let values = sorted(values.to_vec());
    let cut = values.len() / 5;
    let kept = &values[cut..values.len() - cut];
    let winsorised: Vec<f64> =
        values.iter().map(|value| value.clamp(kept[0], kept[kept.len() - 1])).collect();
    (mean(kept), squares(&winsorised), kept.len() as f64)
}

/// Of statistics that a rank test counts, equally likely where there is no difference: how many of the sorted differences
/// lie beyond either end of its 95 % interval. Few values have no such interval; theirs is all there is.
fn beyond(mut statistics: Vec<usize>) -> usize {
    statistics.sort_unstable();
    // P(statistic < k) ≤ 2.5 %.
    statistics[statistics.len() * 25 / 1000].saturating_sub(1)
}

/// From the `beyond`th difference from below to that from above, around their median.
fn between(differences: Vec<f64>, beyond: usize) -> Interval {
    let differences = sorted(differences);
    let last = differences.len() - 1;
    Interval { estimate: median(&differences), low: differences[beyond], high: differences[last - beyond] }
}
