//! When is a load steady?

/// Replies are counted in windows of this length.
pub(crate) const WINDOW_NS: u64 = 50_000_000;
/// The rule needs so many windows, and judges none by fewer of them than [`LEAST_REST`].
const LEAST_WINDOWS: usize = 10;
const LEAST_REST: f64 = 4.0;

/// Is the load steady, by its replies in each window since its start?
///
/// By MSER (K. P. White, *An effective truncation heuristic for bias reduction in simulation output*, Simulation 69,
/// 1997): the start-up ends where leaving out all before makes the standard error of the mean of the rest smallest.
/// Where that is in the second half, the rule says that the load has not been seen steady for long enough. It has
/// no threshold to tune, and judges the trend by the noise at hand.
pub(crate) fn is_steady(windows: &[u64]) -> bool {
    if windows.len() < LEAST_WINDOWS || windows.iter().all(|&replies| replies == 0) {
        return false;
    }
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    let mut best = (f64::INFINITY, windows.len());
    for (start, &replies) in windows.iter().enumerate().rev() {
        let replies = replies as f64;
        count += 1.0;
        sum += replies;
        squares += replies * replies;
        // Rounding must not make a negative one of it.
        let error = (squares - sum * sum / count).max(0.0) / (count * count);
        if count >= LEAST_REST && error <= best.0 {
            best = (error, start);
        }
    }
    best.1 <= windows.len() / 2
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;

    /// Replies in windows of a load whose mean rate is `of` the window, with this noise.
    fn windows(count: usize, noise: f64, seed: u64, of: impl Fn(f64) -> f64) -> Vec<u64> {
        let mut random = Rng::with_seed(seed);
        let mut replies = |window| {
            // A sum of twelve uniform variates is near enough to a normal one.
            let normal = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
            (10_000.0 * of(window as f64) * (1.0 + noise * normal)) as u64
        };
        (0..count).map(&mut replies).collect()
    }

    fn share_steady(count: usize, noise: f64, of: impl Fn(f64) -> f64) -> f64 {
        let steady = |&seed: &u64| is_steady(&windows(count, noise, seed, &of));
        (0..500).filter(steady).count() as f64 / 500.0
    }

    #[test]
    fn a_flat_load_is_steady_whatever_its_noise() {
        for noise in [0.0, 0.01, 0.05, 0.2] {
            for count in [10, 20, 50] {
                let share = share_steady(count, noise, |_| 1.0);
                assert!(share > 0.75, "{share} of {count} windows with noise {noise}");
            }
        }
    }

    #[test]
    fn a_load_that_still_climbs_is_not() {
        for (count, noise) in [(10, 0.01), (20, 0.02), (50, 0.02)] {
            let climbs = move |window: f64| 0.5 + 0.5 * window / count as f64;
            let share = share_steady(count, noise, climbs);
            assert!(share < 0.02, "{share} of {count} windows with noise {noise}");
        }
    }

    #[test]
    fn a_start_up_is_waited_for_and_then_forgotten() {
        // It closes in on its rate with a time constant of ten windows.
        let starts = |window: f64| 1.0 - 0.8 * (-window / 10.0).exp();
        assert!(share_steady(15, 0.02, starts) < 0.02);
        assert!(share_steady(100, 0.02, starts) > 0.9);
    }

    #[test]
    fn too_few_windows_and_none_with_a_reply_tell_nothing() {
        assert!(!is_steady(&[100; LEAST_WINDOWS - 1]) && is_steady(&[100; LEAST_WINDOWS]));
        assert!(!is_steady(&[0; 100]));
    }
}
