use std::ops::RangeInclusive;

/// Ranges that are remembered: a server that skips more often than this is past helping.
const MAX_RANGES: usize = 64;

/// The order of the ids that one subscriber receives: each must be one above the last.
///
/// It is a number as long as all goes well, and beside it the ranges that were skipped.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The highest id so far; 0 before the first.
    highest: u64,
    gaps: Vec<RangeInclusive<u64>>,
}

/// Where an id comes in the order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is new, and `skipped` ids before it have not come.
    Next {
        /// How many; 0 if all is well.
        skipped: u64,
    },
    /// It was skipped before.
    Late,
    /// It has come before.
    Again,
}

impl Order {
    /// Notes that `id` has come. The first may be any: others may have published before.
    pub(super) fn note(&mut self, id: u64) -> Place {
        if self.highest == 0 || id > self.highest {
            let skipped = if self.highest == 0 { 0 } else { id - self.highest - 1 };
            if skipped > 0 {
                self.remember(self.highest + 1..=id - 1);
            }
            self.highest = id;
            return Place::Next { skipped };
        }
        if self.fill(id) { Place::Late } else { Place::Again }
    }

    fn remember(&mut self, gap: RangeInclusive<u64>) {
        if self.gaps.len() < MAX_RANGES {
            self.gaps.push(gap);
        }
    }

    /// Takes `id` out of the gap that it lies in; `false` if it lies in none.
    fn fill(&mut self, id: u64) -> bool {
        let Some(index) = self.gaps.iter().position(|gap| gap.contains(&id)) else { return false };
        let gap = self.gaps.swap_remove(index);
        let rests = [*gap.start()..=id - 1, id + 1..=*gap.end()];
        self.gaps.extend(rests.into_iter().filter(|rest| !rest.is_empty()));
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_ids_do_not_overflow() {
        let mut order = Order::default();
        assert_eq!(order.note(1), Place::Next { skipped: 0 });
        assert_eq!(order.note(u64::MAX), Place::Next { skipped: u64::MAX - 2 });
        assert_eq!(order.note(u64::MAX - 1), Place::Late);
        assert_eq!(order.note(u64::MAX), Place::Again);
        assert_eq!(order.note(0), Place::Again);
    }

    proptest! {
        #[test]
        fn it_says_of_every_id_what_a_set_would_say(first in 1u64..50, ids in proptest::collection::vec(1u64..60, 0..100)) {
            let mut order = Order::default();
            prop_assert_eq!(order.note(first), Place::Next { skipped: 0 });
            let (mut seen, mut highest) = (BTreeSet::from([first]), first);
            for id in ids {
                let expected = if id > highest {
                    Place::Next { skipped: id - highest - 1 }
                } else if id < first || seen.contains(&id) {
                    Place::Again
                } else {
                    Place::Late
                };
                prop_assert_eq!(order.note(id), expected);
                seen.insert(id);
                highest = highest.max(id);
            }
        }
    }
}
