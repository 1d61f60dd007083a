use super::blocks::{Design, Fit, Observation};

/// Simulated experiments behind a critical value: its own error is then about 1 % of it.
const SIMULATIONS: usize = 2_000;

/// All differences between the treatments of a cell, judged together.
///
/// The largest |difference| ÷ its standard error, over all pairs, is compared with its distribution where no
/// treatment differs: for a complete design that is Tukey's test (the studentised range); for any other it is
/// the single-step method of Hothorn, Bretz and Westfall, *Simultaneous inference in general parametric
/// models*, Biometrical Journal 50 (2008). The distribution is simulated, on the design at hand. What has been told apart
/// is no longer among those that chance could tell apart: the rest is then held against its own largest, step by step
/// (Westfall and Young, *Resampling-Based Multiple Testing*, 1993, algorithm 2.8; Romano and Wolf, 2005).
#[derive(Debug, Clone)]
pub struct Comparison {
    design: Design,
    fit: Fit,
    /// |t| of each pair, in the design's order, of simulated experiments without a difference.
    simulated: Vec<Vec<f64>>,
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
        let simulated = null_distribution(&design);
        Some(Self { design, fit, simulated })
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
        let all: Vec<usize> = (0..self.design.pairs().count()).collect();
        let half_width = self.critical(&all) * error;
        Difference { value: self.fit.effects[a] - self.fit.effects[b], half_width }
    }

    /// The pairs that the data tell apart, of all but those with `unranked`.
    #[must_use]
    pub fn told_apart(&self, unranked: Option<usize>) -> Vec<(usize, usize)> {
        let pairs: Vec<(usize, usize)> = self.design.pairs().collect();
        let is_ranked =
            |&pair: &usize| unranked.is_none_or(|out| pairs[pair].0 != out && pairs[pair].1 != out);
        let mut open: Vec<usize> = (0..pairs.len()).filter(is_ranked).collect();
        let mut apart = Vec::new();
        while !open.is_empty() {
            let critical = self.critical(&open);
            let exceeds = |&pair: &usize| t(&self.design, &self.fit, pairs[pair]) > critical;
            let (found, rest): (Vec<usize>, Vec<usize>) = open.into_iter().partition(exceeds);
            if found.is_empty() {
                break;
            }
            apart.extend(found.into_iter().map(|pair| pairs[pair]));
            open = rest;
        }
        apart
    }

    /// The place of each treatment, 1 for the first: one more than how many are really better. Those that
    /// the data cannot tell apart so share a place. `better` is 1 if more is better, −1 if less is; what is
    /// `unranked`, as the control is, takes no place from others; those in `bounds`, whose figure is
    /// a bound that the truth may be better than, are behind nobody.
    #[must_use]
    pub fn places(
        &self,
        better: f64,
        noise_floor: f64,
        unranked: Option<usize>,
        bounds: &[usize],
    ) -> Vec<usize> {
        let mut places = vec![1; self.fit.effects.len()];
        for (a, b) in self.told_apart(unranked) {
            let difference = self.fit.effects[a] - self.fit.effects[b];
            let worse = if difference * better > 0.0 { b } else { a };
            if difference.abs() > noise_floor && !bounds.contains(&worse) {
                places[worse] += 1;
            }
        }
        places
    }

    /// The |t| that one experiment in twenty without any difference exceeds in one of these pairs.
    fn critical(&self, pairs: &[usize]) -> f64 {
        let largest = |ts: &Vec<f64>| pairs.iter().map(|&pair| ts[pair]).fold(0.0, f64::max);
        let mut largest: Vec<f64> = self.simulated.iter().map(largest).collect();
        largest.sort_by(f64::total_cmp);
        largest[largest.len() * 95 / 100]
    }
}

/// |difference| of a pair ÷ its standard error.
fn t(design: &Design, fit: &Fit, (a, b): (usize, usize)) -> f64 {
    (fit.effects[a] - fit.effects[b]).abs() / (design.error_of_difference(a, b) * fit.noise)
}

fn null_distribution(design: &Design) -> Vec<Vec<f64>> {
    // The same design gives the same values: a report does not change when it is made again.
    let mut random = fastrand::Rng::with_seed(0x5eed);
    (0..SIMULATIONS)
        .map(|_| {
            let values: Vec<f64> = (0..design.observations()).map(|_| normal(&mut random)).collect();
            let fit = design.fit(&values);
            design.pairs().map(|pair| t(design, &fit, pair)).collect()
        })
        .collect()
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
        let critical = Comparison::of(5, &seen).expect("complete").critical(&(0..10).collect::<Vec<_>>());
        assert!((critical / (4.232 / 2_f64.sqrt()) - 1.0).abs() < 0.03, "{critical}");
    }

    #[test]
    fn what_is_told_apart_leaves_fewer_that_chance_could_tell_apart() {
        let mut random = fastrand::Rng::with_seed(4);
        let truth = [0.0, 0.021, 0.5, 0.7, 0.9, 1.1];
        let seen = complete(6, 4, |treatment, _| truth[treatment] + 0.01 * normal(&mut random));
        let comparison = Comparison::of(6, &seen).expect("complete");
        let difference = comparison.difference(0, 1);
        let apart = comparison.told_apart(None);
        assert!(!difference.is_real(0.0) && apart.contains(&(0, 1)), "{difference:?}");
        assert!(!comparison.told_apart(Some(1)).iter().any(|&(a, b)| a == 1 || b == 1));
    }

    #[test]
    fn those_that_cannot_be_told_apart_share_a_place() {
        let mut random = fastrand::Rng::with_seed(2);
        let truth = [0.0, 0.001, 0.5];
        let seen = complete(3, 5, |treatment, _| truth[treatment] + 0.01 * normal(&mut random));
        let comparison = Comparison::of(3, &seen).expect("complete");
        assert_eq!(comparison.places(1.0, 0.0, None, &[]), [2, 2, 1]);
        assert_eq!(comparison.places(-1.0, 0.0, None, &[]), [1, 1, 3]);
        assert_eq!(
            comparison.places(1.0, 0.6, None, &[]),
            [1, 1, 1],
            "below the noise floor nothing is claimed"
        );
        assert_eq!(comparison.places(1.0, 0.0, None, &[0]), [1, 2, 1], "a lower bound is behind nobody");
    }
}
