/// The highest level that was kept and the lowest that was not, between which the limit lies.
///
/// Exponential growth until a level is not kept, then bisection on the logarithm: as many steps find a limit
/// of thousands as one of millions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bracket {
    kept: Option<u32>,
    missed: Option<u32>,
    first: u32,
    most: u32,
}

/// The limit is found when what was missed is at most this many times what was kept.
const CLOSE: f64 = 1.05;

impl Bracket {
    /// Nothing is known yet. The search begins at `first` and goes no further than `most`.
    pub(super) fn new(first: u32, most: u32) -> Self {
        Self { kept: None, missed: None, first, most: most.max(1) }
    }

    /// The level to try next; `None`: the limit is found, or it lies outside of 1 to the most.
    pub(super) fn next(&self) -> Option<u32> {
        match (self.kept, self.missed) {
            (None, None) => Some(self.first.clamp(1, self.most)),
            (Some(kept), None) => (kept < self.most).then(|| kept.saturating_mul(2).min(self.most)),
            (None, Some(missed)) => (missed > 1).then(|| (missed / 4).max(1)),
            (Some(kept), Some(missed)) => {
                let is_found = f64::from(missed) <= f64::from(kept) * CLOSE || missed - kept <= 1;
                let middle = (f64::from(kept) * f64::from(missed)).sqrt().round() as u32;
                (!is_found).then(|| middle.clamp(kept + 1, missed - 1))
            }
        }
    }

    /// Was this level kept?
    pub(super) fn note(&mut self, level: u32, kept: bool) {
        if kept {
            self.kept = Some(level);
        } else {
            self.missed = Some(level);
        }
    }

    /// The highest level that was kept.
    pub(super) fn kept(&self) -> Option<u32> {
        self.kept
    }

    /// The lowest level that was not kept.
    pub(super) fn missed(&self) -> Option<u32> {
        self.missed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a search finds of a server that keeps all levels up to its limit, and in how many steps.
    fn found(first: u32, most: u32, limit: u32) -> (Option<u32>, usize) {
        let (mut bracket, mut steps) = (Bracket::new(first, most), 0);
        while let Some(level) = bracket.next() {
            bracket.note(level, level <= limit);
            steps += 1;
            assert!(steps < 60, "{bracket:?}");
        }
        (bracket.kept(), steps)
    }

    #[test]
    fn a_limit_outside_of_what_is_tried_is_said_to_be_there() {
        assert_eq!(found(100, 1000, 5000).0, Some(1000));
        assert_eq!(found(100, 1000, 0).0, None);
        assert_eq!(found(100, 1, 5000).0, Some(1));
    }

    proptest! {
        #[test]
        fn a_limit_is_found_to_five_percent_in_few_steps(limit in 1u32..10_000_000, first in 1u32..100_000) {
            let (kept, steps) = found(first, 10_000_000, limit);
            let kept = kept.expect("one is always kept");
            prop_assert!(kept <= limit && f64::from(limit) < f64::from(kept) * CLOSE + 1.0, "{} of {}", kept, limit);
            prop_assert!(steps <= 32, "{} steps", steps);
        }
    }
}
