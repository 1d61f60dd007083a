/// Of fewer values not even a clean step would be significant.
const LEAST: usize = 16;
/// How often chance alone may be taken for a change, were the values independent.
const SIGNIFICANCE: f64 = 0.01;
/// How far apart the means of the two sides must be: values that follow one another are alike, which the test does
/// not know, so that it calls small waves significant.
const LEAST_CHANGE: f64 = 0.07;

/// Values that are not all of one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// How many values lie before the change.
    pub at: usize,
    /// Their mean.
    pub before: f64,
    /// The mean of the others.
    pub after: f64,
}

/// Did the level of these values change, and where most likely? By Pettitt's test, *A non-parametric approach to the
/// change-point problem*, Applied Statistics 28 (1979), with his approximation of its significance. It asks for no
/// distribution, and a climb that lasts is found as well as a step.
#[must_use]
pub fn drift(values: &[f64]) -> Option<Drift> {
    let n = values.len() as f64;
    if values.len() < LEAST {
        return None;
    }
    // The statistic of a split is that of the one before it and, in addition, how the value between them stands to all.
    let mut statistic = 0;
    let mut most = (0, 0_i64);
    for (index, value) in values.iter().enumerate() {
        statistic += values.iter().map(|other| value.total_cmp(other) as i64).sum::<i64>();
        if statistic.abs() > most.1 {
            most = (index + 1, statistic.abs());
        }
    }
    let (at, largest) = most;
    let chance = 2.0 * (-6.0 * (largest as f64).powi(2) / (n.powi(3) + n.powi(2))).exp();
    if chance > SIGNIFICANCE {
        return None;
    }
    let mean = |side: &[f64]| side.iter().sum::<f64>() / side.len() as f64;
    let (before, after) = (mean(&values[..at]), mean(&values[at..]));
    (before.max(after) > before.min(after) * (1.0 + LEAST_CHANGE)).then_some(Drift { at, before, after })
}

#[cfg(test)]
mod tests {
    use super::super::comparison::normal;
    use super::*;

    /// Share of 400 series in which a drift is found. `carried`: how much of a value's noise the next one has, too.
    fn found(count: usize, noise: f64, carried: f64, level: impl Fn(f64) -> f64) -> f64 {
        let series = |seed| {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut off = 0.0;
            let mut value = |index: usize| {
                off = carried * off + (1.0 - carried * carried).sqrt() * noise * normal(&mut random);
                1000.0 * level(index as f64 / count as f64) * (1.0 + off)
            };
            (0..count).map(&mut value).collect::<Vec<f64>>()
        };
        (0..400).filter(|&seed| drift(&series(seed)).is_some()).count() as f64 / 400.0
    }

    #[test]
    fn none_is_found_in_what_is_level_even_if_its_noise_lasts() {
        for (noise, carried) in [(0.01, 0.0), (0.1, 0.0), (0.05, 0.5), (0.02, 0.9)] {
            for count in [LEAST, 40, 200] {
                let share = found(count, noise, carried, |_| 1.0);
                assert!(share <= 0.05, "{share} of {count} values, noise {noise}, carried {carried}");
            }
        }
    }

    #[test]
    fn a_step_and_a_climb_of_a_fifth_are_found() {
        for count in [40, 200] {
            let step = found(count, 0.05, 0.3, |at| if at < 0.5 { 1.0 } else { 1.2 });
            let climb = found(count, 0.02, 0.0, |at| 1.0 + 0.2 * at);
            assert!(step > 0.95 && climb > 0.95, "{step} and {climb} of {count} values");
        }
    }

    #[test]
    fn a_step_is_found_where_it_is() {
        let values: Vec<f64> = (0..30).map(|index| if index < 10 { 100.0 } else { 60.0 }).collect();
        assert_eq!(drift(&values), Some(Drift { at: 10, before: 100.0, after: 60.0 }));
    }

    #[test]
    fn too_few_values_and_none_but_zeros_tell_nothing() {
        let step = [[1.0; 8], [2.0; 8]].concat();
        assert!(drift(&step).is_some() && drift(&step[1..]).is_none());
        assert_eq!(drift(&[0.0; 40]), None);
    }
}
