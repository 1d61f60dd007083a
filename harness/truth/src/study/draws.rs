//! Few rounds, drawn from many.

use super::rounds::Round;
use super::{Estimator, Interval, Noise, of_one, of_two, squares};

/// What is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A contender's figure.
    Cell,
    /// Two contenders' ratio, each from rounds of its own.
    RatioApart,
    /// Two contenders' ratio, from the same rounds.
    RatioInBlocks,
}

/// What came of all draws: each interval's half width, and whether it held the truth.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    half_widths: Vec<f64>,
    held: usize,
}

impl Outcome {
    fn add(&mut self, interval: Interval, truth: f64) {
        self.half_widths.push(interval.half_width());
        self.held += usize::from(interval.holds(truth));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.half_widths.extend(other.half_widths);
        self.held += other.held;
    }

    /// Median half width, and the share that held the truth; `None` without a draw.
    pub(super) fn summary(mut self) -> Option<(f64, f64)> {
        let coverage = self.held as f64 / self.half_widths.len() as f64;
        self.half_widths.sort_by(f64::total_cmp);
        Some((*self.half_widths.get(self.half_widths.len() / 2)?, coverage))
    }
}

/// Draws `few` of these rounds, without putting any back, so many times.
pub(super) fn draw(
    rounds: &[&Round],
    target: Target,
    estimator: Estimator,
    few: usize,
    times: usize,
) -> Outcome {
    // The same rounds give the same table.
    let mut random = fastrand::Rng::with_seed(0x5eed);
    let mut outcome = Outcome::default();
    let contenders = rounds.first().map_or(0, |round| round.values.len());
    let all: Vec<Vec<f64>> = (0..contenders).map(|contender| column(rounds, contender)).collect();
    for _ in 0..times {
        let (drawn, others) = (chosen(rounds, few, &mut random), chosen(rounds, few, &mut random));
        let noise = noise(&drawn, target);
        let of_drawn: Vec<Vec<f64>> = (0..contenders).map(|contender| column(&drawn, contender)).collect();
        match target {
            Target::Cell => {
                for (values, all) in of_drawn.iter().zip(&all) {
                    outcome.add(of_one::interval(estimator, values, noise), of_one::estimate(estimator, all));
                }
            }
            Target::RatioInBlocks => {
                for (values, all_values) in of_drawn.iter().zip(&all).skip(1) {
                    let truth = of_one::estimate(estimator, &minus(all_values, &all[0]));
                    outcome.add(of_one::interval(estimator, &minus(values, &of_drawn[0]), noise), truth);
                }
            }
            Target::RatioApart => {
                let first = column(&others, 0);
                for (values, all_values) in of_drawn.iter().zip(&all).skip(1) {
                    let truth = of_two::estimate(estimator, all_values, &all[0]);
                    outcome.add(of_two::interval(estimator, values, &first, noise), truth);
                }
            }
        }
    }
    outcome
}

fn chosen<'a>(rounds: &[&'a Round], few: usize, random: &mut fastrand::Rng) -> Vec<&'a Round> {
    random.choose_multiple(rounds.iter().copied(), few)
}

fn column(rounds: &[&Round], contender: usize) -> Vec<f64> {
    rounds.iter().map(|round| round.values[contender]).collect()
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// The noise of all contenders of these rounds; of a difference within rounds, once what each round has in common is gone
/// (randomised complete blocks).
fn noise(rounds: &[&Round], target: Target) -> Noise {
    let (count, contenders) = (rounds.len(), rounds[0].values.len());
    let centred: Vec<Round> = rounds.iter().map(|round| centred(round)).collect();
    let (rounds, freedom, scale) = match target {
        // Two contenders differ by the noise of both.
        Target::RatioInBlocks => (centred.iter().collect(), (count - 1) * (contenders - 1), 2.0),
        _ => (rounds.to_vec(), (count - 1) * contenders, 1.0),
    };
    let squares: f64 = (0..contenders).map(|contender| squares(&column(&rounds, contender))).sum();
    Noise { deviation: (scale * squares / freedom as f64).sqrt(), freedom: freedom as f64 }
}

fn centred(round: &Round) -> Round {
    let mean = super::mean(&round.values);
    Round { state: round.state, values: round.values.iter().map(|value| value - mean).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of four contenders with noise of 1 %, which have as much again in common if `shared`.
    fn simulated(shared: bool) -> Vec<Round> {
        let mut random = fastrand::Rng::with_seed(5);
        // A sum of twelve is near enough to normal (Irwin and Hall).
        let mut normal = move || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        (0..60)
            .map(|_| {
                let common = if shared { 0.02 * normal() } else { 0.0 };
                let values =
                    (0..4).map(|contender| f64::from(contender) + common + 0.01 * normal()).collect();
                Round { state: Some(0), values }
            })
            .collect()
    }

    fn summary(rounds: &[Round], target: Target, estimator: Estimator, few: usize) -> (f64, f64) {
        draw(&rounds.iter().collect::<Vec<_>>(), target, estimator, few, 200).summary().expect("draws")
    }

    #[test]
    fn students_t_is_honest_on_normal_noise_and_the_range_of_three_is_not() {
        let rounds = simulated(false);
        for target in [Target::Cell, Target::RatioApart, Target::RatioInBlocks] {
            for few in [3, 5] {
                let (_, coverage) = summary(&rounds, target, Estimator::Mean, few);
                assert!(coverage > 0.92, "{target:?}, {few}: {coverage}");
                let (_, coverage) = summary(&rounds, target, Estimator::MeanPooled, few);
                assert!(coverage > 0.92, "{target:?}, {few}, pooled: {coverage}");
            }
        }
        let (_, coverage) = summary(&rounds, Target::Cell, Estimator::Median, 3);
        assert!((0.65..0.85).contains(&coverage), "three in four: {coverage}");
    }

    #[test]
    fn blocks_take_out_what_rounds_have_in_common_and_pooled_noise_is_narrower() {
        let rounds = simulated(true);
        let half_width = |target, estimator| summary(&rounds, target, estimator, 3).0;
        let apart = half_width(Target::RatioApart, Estimator::MeanPooled);
        let in_blocks = half_width(Target::RatioInBlocks, Estimator::MeanPooled);
        assert!(in_blocks < apart / 1.5, "{in_blocks} of {apart}");
        assert!(in_blocks < half_width(Target::RatioInBlocks, Estimator::Mean) / 1.3);
    }
}
