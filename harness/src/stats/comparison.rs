use super::blocks::{Design, Fit, Observation};

/// Simulated experiments behind a critical value: its own error is then about 1 % of it.
const SIMULATIONS: usize = 2_000;

/// All differences between the treatments of a cell, judged together.
///
/// The largest |difference| ÷ its standard error, over all pairs, is compared with its distribution where no
/// treatment differs: for a complete design that is Tukey's test (the studentised range); for any other it is
/// the single-step method of Hothorn, Bretz and Westfall, *Simultaneous inference in general parametric
/// models*, Biometrical Journal 50 (2008). The distribution is simulated, on the design at hand.
#[derive(Debug, Clone)]
pub struct Comparison {
    design: Design,
    fit: Fit,
    /// Sorted: the largest |t| of each simulated experiment without a difference.
    largest: Vec<f64>,
}

/// The difference of two treatments, with an interval that holds for all pairs of the cell at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// On the scale of the observations.
    pub value: f64,
    /// Half the width of its simultaneous 95 % interval.
    pub half_width: f64,
}

impl Difference {
    /// Can the data tell it from 0, and from what the same contender twice differs by?
    #[must_use]
    pub fn is_real(&self, noise_floor: f64) -> bool {
        self.value.abs() > self.half_width && self.value.abs() > noise_floor
    }
}

impl Comparison {
    /// Of observations on a logarithmic scale. `None` if the design cannot compare all treatments.
    #[must_use]
    pub fn of(treatments: usize, observations: &[Observation]) -> Option<Self> {
        let design = Design::of(treatments, observations)?;
        let values: Vec<f64> = observations.iter().map(|seen| seen.value).collect();
        let fit = design.fit(&values);
        let largest = null_distribution(&design);
        Some(Self { design, fit, largest })
    }

    /// Effect of each treatment against their mean.
    #[must_use]
    pub fn effects(&self) -> &[f64] {
        &self.fit.effects
    }

    /// Treatment `a` less treatment `b`.
    #[must_use]
    pub fn difference(&self, a: usize, b: usize) -> Difference {
        let error = self.fit.noise * self.design.error_of_difference(a, b);
        Difference { value: self.fit.effects[a] - self.fit.effects[b], half_width: self.critical() * error }
    }

    /// The place of each treatment, 1 for the first: one more than how many are really better. Those that
    /// the data cannot tell apart so share a place. `better` is 1 if more is better, −1 if less is; what is
    /// `unranked`, as the control is, takes no place from others.
    #[must_use]
    pub fn places(&self, better: f64, noise_floor: f64, unranked: Option<usize>) -> Vec<usize> {
        let treatments = self.fit.effects.len();
        let beats = |a: usize, b: usize| {
            let difference = self.difference(a, b);
            difference.is_real(noise_floor) && difference.value * better > 0.0
        };
        (0..treatments)
            .map(|own| {
                1 + (0..treatments).filter(|&other| Some(other) != unranked && beats(other, own)).count()
            })
            .collect()
    }

    /// The |t| that one experiment in twenty without any difference exceeds somewhere.
    fn critical(&self) -> f64 {
        self.largest[self.largest.len() * 95 / 100]
    }
}

fn null_distribution(design: &Design) -> Vec<f64> {
    // The same design gives the same values: a report does not change when it is made again.
    let mut random = fastrand::Rng::with_seed(0x5eed);
    let errors: Vec<(usize, usize, f64)> =
        design.pairs().map(|(a, b)| (a, b, design.error_of_difference(a, b))).collect();
    let mut largest: Vec<f64> = (0..SIMULATIONS)
        .map(|_| {
            let values: Vec<f64> = (0..design.observations()).map(|_| normal(&mut random)).collect();
            let fit = design.fit(&values);
            let t = |&(a, b, error): &(usize, usize, f64)| {
                (fit.effects[a] - fit.effects[b]).abs() / (error * fit.noise)
            };
            errors.iter().map(t).fold(0.0, f64::max)
        })
        .collect();
    largest.sort_by(f64::total_cmp);
    largest
}

/// A standard normal variate (Box and Muller, 1958).
#[must_use]
pub fn normal(random: &mut fastrand::Rng) -> f64 {
    (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(
        treatments: usize,
        rounds: usize,
        value: impl FnMut(usize, usize) -> f64,
    ) -> Vec<Observation> {
        let mut value = value;
        (0..rounds)
            .flat_map(|block| (0..treatments).map(move |treatment| (treatment, block)))
            .map(|(treatment, block)| Observation { treatment, block, value: value(treatment, block) })
            .collect()
    }

    #[test]
    fn the_critical_value_is_tukeys_for_a_complete_design() {
        // Studentised range, 5 treatments, 20 degrees of freedom, 5 %: 4.232 (÷ √2 for a difference).
        let mut random = fastrand::Rng::with_seed(1);
        let seen = complete(5, 6, |_, _| normal(&mut random));
        let critical = Comparison::of(5, &seen).expect("complete").critical();
        assert!((critical / (4.232 / 2_f64.sqrt()) - 1.0).abs() < 0.03, "{critical}");
    }

    #[test]
    fn those_that_cannot_be_told_apart_share_a_place() {
        let mut random = fastrand::Rng::with_seed(2);
        let truth = [0.0, 0.001, 0.5];
        let seen = complete(3, 5, |treatment, _| truth[treatment] + 0.01 * normal(&mut random));
        let comparison = Comparison::of(3, &seen).expect("complete");
        assert_eq!(comparison.places(1.0, 0.0, None), [2, 2, 1]);
        assert_eq!(comparison.places(-1.0, 0.0, None), [1, 1, 3]);
        assert_eq!(comparison.places(1.0, 0.6, None), [1, 1, 1], "below the noise floor nothing is claimed");
    }
}
