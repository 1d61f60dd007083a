use nalgebra::{DMatrix, DVector};

/// One trial's figure: which treatment (contender), in which block, and its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Index of the treatment.
    pub treatment: usize,
    /// Index of the block: trials of one load, round and state of the machine.
    pub block: usize,
    /// The figure; on a logarithmic scale, so that differences are ratios.
    pub value: f64,
}

/// A randomised block design, complete or not: who was measured beside whom.
///
/// The model is value = treatment + block + noise, and the estimates are the intra-block ones, which
/// use differences within blocks alone (Montgomery, *Design and Analysis of Experiments*, section 4.4).
/// What a block has in common, such as the machine's speed at the time, drops out.
#[derive(Debug, Clone)]
pub struct Design {
    treatments: usize,
    places: Vec<(usize, usize)>,
    block_sizes: Vec<f64>,
    /// Inverse of the information matrix, made regular by fixing the sum of the effects at 0.
    inverse: DMatrix<f64>,
    /// Observations less the parameters that they determine.
    degrees_of_freedom: usize,
}

/// A design with its figures.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Effect of each treatment; they sum to 0.
    pub effects: Vec<f64>,
    /// Standard deviation of the noise.
    pub noise: f64,
}

impl Design {
    /// The design of these observations, whatever their values. `None` if it cannot compare all treatments:
    /// one has no trial beside another's, or nothing is left to judge the noise by.
    #[must_use]
    pub fn of(treatments: usize, observations: &[Observation]) -> Option<Self> {
        let blocks = observations.iter().map(|seen| seen.block + 1).max()?;
        let mut incidence = DMatrix::<f64>::zeros(treatments, blocks);
        for seen in observations {
            incidence[(seen.treatment, seen.block)] += 1.0;
        }
        let block_sizes: Vec<f64> = incidence.column_iter().map(|column| column.sum()).collect();
        let mut information = DMatrix::from_diagonal(&DVector::from_iterator(
            treatments,
            incidence.row_iter().map(|row| row.sum()),
        ));
        for (column, size) in incidence.column_iter().zip(&block_sizes).filter(|(_, size)| **size > 0.0) {
            information -= column * column.transpose() / *size;
        }
        information.add_scalar_mut(1.0 / treatments as f64);
        // Not connected: there are treatments that no chain of shared blocks joins.
        let inverse = information.cholesky().filter(|root| root.l().diagonal().min() > 1e-6)?.inverse();
        let used_blocks = block_sizes.iter().filter(|size| **size > 0.0).count();
        let degrees_of_freedom = (observations.len() + 1).checked_sub(treatments + used_blocks)?;
        let places = observations.iter().map(|seen| (seen.treatment, seen.block)).collect();
        (degrees_of_freedom > 0).then_some(Self {
            treatments,
            places,
            block_sizes,
            inverse,
            degrees_of_freedom,
        })
    }

    /// Fits values, in the order of the observations.
    #[must_use]
    pub fn fit(&self, values: &[f64]) -> Fit {
        let mut block_means = vec![0.0; self.block_sizes.len()];
        for (&(_, block), value) in self.places.iter().zip(values) {
            block_means[block] += value / self.block_sizes[block];
        }
        let mut adjusted = DVector::<f64>::zeros(self.treatments);
        for (&(treatment, block), value) in self.places.iter().zip(values) {
            adjusted[treatment] += value - block_means[block];
        }
        let effects = &self.inverse * adjusted;
        let mut block_effects = vec![0.0; self.block_sizes.len()];
        for &(treatment, block) in &self.places {
            block_effects[block] += effects[treatment] / self.block_sizes[block];
        }
        let squares: f64 = self
            .places
            .iter()
            .zip(values)
            .map(|(&(treatment, block), value)| {
                (value - block_means[block]) - (effects[treatment] - block_effects[block])
            })
            .map(|residual| residual * residual)
            .sum();
        let noise = (squares / self.degrees_of_freedom as f64).sqrt();
        Fit { effects: effects.iter().copied().collect(), noise }
    }

    /// Standard error of the difference between two treatments, for noise of 1.
    #[must_use]
    pub fn error_of_difference(&self, a: usize, b: usize) -> f64 {
        (self.inverse[(a, a)] + self.inverse[(b, b)] - 2.0 * self.inverse[(a, b)]).max(0.0).sqrt()
    }

    /// How many observations there are.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.places.len()
    }

    /// All pairs of treatments.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let treatments = self.treatments;
        (0..treatments).flat_map(move |a| (a + 1..treatments).map(move |b| (a, b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observations(values: &[(usize, usize, f64)]) -> Vec<Observation> {
        values.iter().map(|&(treatment, block, value)| Observation { treatment, block, value }).collect()
    }

    fn fit(treatments: usize, seen: &[Observation]) -> Option<Fit> {
        let values: Vec<f64> = seen.iter().map(|seen| seen.value).collect();
        Design::of(treatments, seen).map(|design| design.fit(&values))
    }

    #[test]
    fn a_complete_design_gives_the_differences_of_means_and_the_textbook_noise() {
        // Montgomery's vascular grafts (table 4.3): 4 pressures in 6 blocks; the noise's variance is 7.33.
        let rows = [
            [90.3, 89.2, 98.2, 93.9, 87.4, 97.9],
            [92.5, 89.5, 90.6, 94.7, 87.0, 95.8],
            [85.5, 90.8, 89.6, 86.2, 88.0, 93.4],
            [82.5, 89.5, 85.6, 87.4, 78.9, 90.7],
        ];
        let seen: Vec<_> = rows
            .iter()
            .enumerate()
            .flat_map(|(t, row)| row.iter().enumerate().map(move |(b, &v)| (t, b, v)))
            .collect();
        let fit = fit(4, &observations(&seen)).expect("connected");
        assert!((fit.noise.powi(2) - 7.33).abs() < 0.01, "{}", fit.noise.powi(2));
        assert!((fit.effects[0] - fit.effects[3] - (92.82 - 85.77)).abs() < 0.01, "{:?}", fit.effects);
    }

    #[test]
    fn what_a_block_has_in_common_drops_out_of_an_incomplete_design() {
        // Treatment 2 is 0.1 above 1, and 1 is 0.1 above 0; the second block is 5 above the first.
        let seen =
            [(0, 0, 1.0), (1, 0, 1.1), (1, 1, 6.1), (2, 1, 6.2), (0, 2, 2.0), (1, 2, 2.1), (2, 2, 2.2)];
        let fit = fit(3, &observations(&seen)).expect("connected");
        assert!((fit.effects[2] - fit.effects[0] - 0.2).abs() < 1e-9, "{:?}", fit.effects);
        assert!(fit.noise < 1e-9);
    }

    #[test]
    fn treatments_that_share_no_block_are_not_compared() {
        let apart =
            observations(&[(0, 0, 1.0), (1, 0, 1.1), (2, 1, 1.0), (3, 1, 1.0), (0, 0, 1.2), (2, 1, 1.1)]);
        assert!(fit(4, &apart).is_none());
        assert!(
            fit(2, &observations(&[(0, 0, 1.0), (1, 0, 1.1)])).is_none(),
            "nothing left to judge noise by"
        );
    }
}
