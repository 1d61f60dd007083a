use statrs::function::gamma::digamma;

use super::noise::Squares;

/// Of fewer cells nothing is said of how they differ.
const LEAST_CELLS: usize = 3;
/// As much as if all had one noise.
const ALIKE: f64 = 1e6;

/// What a cell may take its noise to be before it is looked at, by how the others are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prior {
    /// Variance of one trial.
    pub variance: f64,
    /// How much that tells: degrees of freedom, many where the cells are alike.
    pub freedom: f64,
}

impl Prior {
    /// By the moments of the variances' logarithms (Smyth 2004, section 6.2). `None` of too few cells with noise.
    pub(super) fn of(cells: &[Squares]) -> Option<Self> {
        let noisy: Vec<&Squares> = cells.iter().filter(|own| own.sum > 0.0).collect();
        if noisy.len() < LEAST_CELLS {
            return None;
        }
        let count = noisy.len() as f64;
        // What chance adds to the logarithm of a variance, and how much it scatters it.
        let logarithm = |own: &Squares| {
            let half = own.freedom / 2.0;
            (own.sum / own.freedom).ln() - digamma(half) + half.ln()
        };
        let mean = noisy.iter().map(|own| logarithm(own)).sum::<f64>() / count;
        let scatter = noisy.iter().map(|own| (logarithm(own) - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let by_chance = noisy.iter().map(|own| trigamma(own.freedom / 2.0)).sum::<f64>() / count;
        if scatter <= by_chance {
            let (sum, freedom) =
                noisy.iter().fold((0.0, 0.0), |(sum, freedom), own| (sum + own.sum, freedom + own.freedom));
            return Some(Self { variance: sum / freedom, freedom: ALIKE });
        }
        let half = inverse_trigamma(scatter - by_chance);
        Some(Self { variance: (mean + digamma(half) - half.ln()).exp(), freedom: 2.0 * half })
    }
}

/// The derivative of the digamma function (Abramowitz and Stegun, *Handbook of Mathematical Functions*, 6.4.6 and 6.4.12).
fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 6.0 {
        sum += x.powi(-2);
        x += 1.0;
    }
    sum + 1.0 / x + 0.5 * x.powi(-2) + x.powi(-3) / 6.0 - x.powi(-5) / 30.0 + x.powi(-7) / 42.0
}

/// Where the trigamma function, which falls, has this value: by bisection of the logarithm.
fn inverse_trigamma(value: f64) -> f64 {
    let (mut low, mut high) = (1e-6_f64, ALIKE);
    for _ in 0..100 {
        let middle = (low * high).sqrt();
        if trigamma(middle) > value { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::super::normal;
    use super::*;

    #[test]
    fn the_trigamma_function_has_its_known_values() {
        let pi_squared = std::f64::consts::PI.powi(2);
        for (x, value) in [(1.0, pi_squared / 6.0), (0.5, pi_squared / 2.0), (2.0, pi_squared / 6.0 - 1.0)] {
            assert!((trigamma(x) - value).abs() < 1e-6, "{x}");
            assert!((inverse_trigamma(value) - x).abs() < 1e-6, "{x}");
        }
    }

    /// Of many cells of five trials whose variances are `spread` apart, on the logarithm.
    fn prior(spread: f64) -> Prior {
        let mut random = fastrand::Rng::with_seed(5);
        let mut cell = || {
            let variance = (spread * normal(&mut random)).exp();
            let sum = (0..4).map(|_| variance * normal(&mut random).powi(2)).sum();
            Squares { sum, freedom: 4.0 }
        };
        Prior::of(&(0..400).map(|_| cell()).collect::<Vec<_>>()).expect("many cells")
    }

    #[test]
    fn cells_that_are_alike_tell_much_of_one_another_and_others_little() {
        let (alike, unlike) = (prior(0.0), prior(2.0));
        assert!(alike.freedom > 30.0 && (alike.variance - 1.0).abs() < 0.1, "{alike:?}");
        assert!(unlike.freedom < 2.0, "{unlike:?}");
        assert_eq!(Prior::of(&[Squares { sum: 1.0, freedom: 4.0 }; 2]), None);
    }
}
