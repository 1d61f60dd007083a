//! The intervals of medians held against simulated cells whose truth is known.

use super::{Estimate, Seen, estimates, normal};

/// Share of intervals that hold the truth of eight contenders, over this many rounds: of all, and of the noisiest one's.
/// Each contender's standard deviation is `unlike` from the others', on the logarithm; `common` is that of what a round has in
/// common, where theirs are 1.
fn coverage(rounds: u32, unlike: f64, common: f64) -> (f64, f64) {
    let mut random = fastrand::Rng::with_seed(7);
    const RUNS: usize = 400;
    let (mut all, mut noisiest) = (0, 0);
    for _ in 0..RUNS {
        let deviations: Vec<f64> = (0..8).map(|_| (unlike * normal(&mut random)).exp()).collect();
        let shared: Vec<f64> = (0..rounds).map(|_| common * normal(&mut random)).collect();
        let mut cell = |deviation: &f64| -> Vec<Seen> {
            let mut value =
                |round: u32| (0.01 * (shared[round as usize] + deviation * normal(&mut random))).exp();
            (0..rounds).map(|round| Seen { round, value: value(round) }).collect()
        };
        let cells: Vec<Vec<Seen>> = deviations.iter().map(&mut cell).collect();
        let holds = |estimate: &Estimate| estimate.interval.0 <= 1.0 && 1.0 <= estimate.interval.1;
        let held: Vec<bool> = estimates(&cells).iter().flatten().map(holds).collect();
        all += held.iter().filter(|held| **held).count();
        let loudest = (0..8).max_by(|&a, &b| deviations[a].total_cmp(&deviations[b])).expect("eight");
        noisiest += usize::from(held[loudest]);
    }
    (all as f64 / (8 * RUNS) as f64, noisiest as f64 / RUNS as f64)
}

#[test]
fn intervals_hold_the_truth_in_95_of_100_cases_whatever_the_noise_is_like() {
    for rounds in [3, 5, 8] {
        for (unlike, common) in [(0.0, 0.0), (0.4, 0.0), (0.8, 0.0), (0.0, 1.0), (0.4, 1.0), (0.0, 3.0)] {
            let (all, noisiest) = coverage(rounds, unlike, common);
            // Three standard errors of the simulation, more where a round moves all cells at once.
            assert!(all > 0.95 - 0.03, "{all} of {rounds} rounds, unlike {unlike}, common {common}");
            assert!(noisiest > 0.84, "{noisiest} of {rounds} rounds, unlike {unlike}, common {common}");
        }
    }
}
