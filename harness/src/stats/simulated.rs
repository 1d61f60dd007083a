//! The comparison held against simulated runs whose truth is known.

use super::blocks::Observation;
use super::comparison::{Comparison, normal};

/// A machine that moves between two states, as was seen on shared virtual machines: the slow one costs 30 %
/// more, and each has noise of its own.
struct Machine {
    random: fastrand::Rng,
    slow: bool,
    /// Chance that the state changes between two trials.
    changes: f64,
    /// Standard deviation of a figure's logarithm in either state.
    noise: [f64; 2],
}

impl Machine {
    fn new(seed: u64, changes: f64, noise: [f64; 2]) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let slow = random.bool();
        Self { random, slow, changes, noise }
    }

    /// One run: contenders with these true effects, in randomised blocks, tagged with their state.
    fn run(&mut self, truth: &[f64], rounds: usize) -> Vec<Observation> {
        let mut seen = Vec::new();
        for round in 0..rounds {
            let mut order: Vec<usize> = (0..truth.len()).collect();
            self.random.shuffle(&mut order);
            for treatment in order {
                self.slow ^= self.random.f64() < self.changes;
                let state = usize::from(self.slow);
                let noise = self.noise[state] * normal(&mut self.random);
                let value = truth[treatment] + [0.0, 0.3][state] + noise;
                seen.push(Observation { treatment, block: 2 * round + state, value });
            }
        }
        seen
    }
}

/// Share of simulated runs of which `claims` is true, of those whose design compares all contenders.
fn share(
    truth: &[f64],
    rounds: usize,
    machine: (f64, [f64; 2]),
    claims: impl Fn(&Comparison) -> bool,
) -> f64 {
    let (changes, noise) = machine;
    let compared: Vec<Comparison> = (0..300)
        .filter_map(|seed| {
            Comparison::of(truth.len(), &Machine::new(seed, changes, noise).run(truth, rounds))
        })
        .collect();
    assert!(compared.len() > 250, "only {} of 300 designs compare all", compared.len());
    compared.iter().filter(|comparison| claims(comparison)).count() as f64 / compared.len() as f64
}

fn claims_something(comparison: &Comparison) -> bool {
    comparison.places(1.0, 0.0, None, &[]).iter().any(|&place| place > 1)
}

/// One in twenty, and what 300 runs may be off by: three standard errors.
const CHANCE: f64 = 0.05 + 0.038;
/// Noise of CPU a message in the two states, as trials tagged by the probe had it.
const CPU: [f64; 2] = [0.013, 0.009];
/// Noise of the rate.
const RATE: [f64; 2] = [0.005, 0.025];

#[test]
fn without_a_difference_one_is_claimed_in_at_most_one_run_of_twenty() {
    for (changes, noise) in [(0.0, [0.01; 2]), (0.05, CPU), (0.05, RATE), (0.3, RATE)] {
        for rounds in [3, 5] {
            let claimed = share(&[0.0; 6], rounds, (changes, noise), claims_something);
            assert!(claimed <= CHANCE, "{claimed} with changes {changes}, noise {noise:?}, {rounds} rounds");
        }
    }
}

/// Are these two told apart?
fn apart(a: usize, b: usize) -> impl Fn(&Comparison) -> bool {
    move |comparison| comparison.told_apart(None).contains(&(a, b))
}

#[test]
fn beside_real_differences_none_is_claimed_that_is_not_there() {
    let truth = [0.0, 0.0, 0.0, 0.5, 0.7, 1.2];
    let wrong =
        |comparison: &Comparison| [(0, 1), (0, 2), (1, 2)].iter().any(|&(a, b)| apart(a, b)(comparison));
    for rounds in [3, 5] {
        assert!(share(&truth, rounds, (0.05, CPU), wrong) <= CHANCE);
    }
}

/// Seven contenders that differ, as they do, and two of them by so little.
const APART: [f64; 7] = [0.0, 0.03, 0.25, 0.4, 0.6, 0.8, 0.9];
/// All the same, but one.
const ALIKE: [f64; 7] = [0.0, 0.03, 0.0, 0.0, 0.0, 0.0, 0.0];

#[test]
fn a_difference_of_three_percent_in_cpu_a_message_is_found_by_five_rounds() {
    // What CPU a message was seen to vary by within a state: 0.4 to 1.3 %.
    for noise in [[0.004; 2], [0.009; 2], CPU] {
        let found = share(&APART, 5, (0.02, noise), apart(0, 1));
        assert!(found >= 0.8, "{found} with noise {noise:?}");
    }
    for noise in [[0.004; 2], [0.009; 2]] {
        let found = share(&ALIKE, 5, (0.02, noise), apart(0, 1));
        assert!(found >= 0.8, "{found} with noise {noise:?}, all others alike");
    }
    // Where all the others are alike every pair could be told apart by chance, and the most noise takes some rounds more.
    let [five, eight] = [5, 8].map(|rounds| share(&ALIKE, rounds, (0.02, CPU), apart(0, 1)));
    assert!(five > 0.6 && eight > 0.9, "{five} {eight}");
}

#[test]
fn shares_of_the_ceiling_differ_by_what_the_figures_differ_by() {
    // The ceiling's own noise is common to all of a block, and drops out: what is claimed of the figure holds for the share.
    let mut machine = Machine::new(3, 0.05, CPU);
    let figures = machine.run(&APART, 5);
    let ceiling = |block: usize| figures.iter().find(|seen| seen.treatment == 6 && seen.block == block);
    let share = |seen: &Observation| {
        let value = seen.value - ceiling(seen.block)?.value;
        Some(Observation { value, ..*seen })
    };
    let shares: Vec<Observation> = figures.iter().filter_map(share).collect();
    let figures: Vec<Observation> =
        figures.iter().filter(|seen| ceiling(seen.block).is_some()).copied().collect();
    let [figures, shares] = [figures, shares].map(|seen| Comparison::of(7, &seen).expect("all are compared"));
    assert_eq!(figures.told_apart(None), shares.told_apart(None));
    for (a, b) in [(0, 1), (2, 5)] {
        let [figure, share] = [&figures, &shares].map(|comparison| comparison.difference(a, b));
        assert!(
            (figure.value - share.value).abs() < 1e-9 && (figure.half_width - share.half_width).abs() < 1e-9
        );
    }
}
