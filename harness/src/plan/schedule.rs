use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Load;

/// One trial to come.
#[derive(Debug, Clone, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
pub struct Slot {
    /// The round, from 1.
    pub round: u32,
    /// Name of the contender.
    pub contender: String,
    /// The load.
    pub load: Load,
}

/// One round in randomised complete blocks: the loads in random order, and for each load all contenders
/// back to back in random order, so that they are compared under the same state of the machine and none has
/// a place of its own in it (Montgomery, Design and Analysis of Experiments, chapter 4). The order follows from the
/// run's seed and the round's number alone, whatever went before.
#[must_use]
pub fn schedule(contenders: &[String], loads: &[Load], round: u32, seed: u64) -> Vec<Slot> {
    // The first draw parts the seeds of neighbours: round 2 of one is not round 1 of the next.
    let of_run = fastrand::Rng::with_seed(seed).u64(..);
    let mut random = fastrand::Rng::with_seed(of_run.wrapping_add(u64::from(round)));
    let mut loads = loads.to_vec();
    random.shuffle(&mut loads);
    let block = |load: Load| {
        let mut contenders = contenders.to_vec();
        random.shuffle(&mut contenders);
        contenders.into_iter().map(move |contender| Slot { round, contender, load: load.clone() })
    };
    loads.into_iter().flat_map(block).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn load(connections: usize) -> Load {
        let text = format!("workload = \"echo\"\nconnections = {connections}\npayload_bytes = 1");
        toml::from_str(&text).expect("a load")
    }

    fn names() -> Vec<String> {
        ["a", "b", "c", "d"].map(String::from).to_vec()
    }

    #[test]
    fn every_cell_comes_once_a_round_and_a_block_is_never_torn() {
        let slots: Vec<Slot> =
            (1..=3).flat_map(|round| schedule(&names(), &[load(1), load(2)], round, 7)).collect();
        assert_eq!(slots.len(), 4 * 2 * 3);
        assert_eq!(slots.iter().collect::<HashSet<_>>().len(), slots.len());
        for block in slots.chunks(4) {
            assert!(block.iter().all(|slot| slot.load == block[0].load && slot.round == block[0].round));
        }
    }

    #[test]
    fn a_seed_repeats_an_order_and_another_seed_or_round_gives_another() {
        let order = |round, seed| {
            let slots = schedule(&names(), &[load(1), load(2)], round, seed);
            slots.into_iter().map(|slot| (slot.contender, slot.load)).collect::<Vec<_>>()
        };
        assert_eq!(order(5, 1), order(5, 1));
        assert_ne!(order(5, 1), order(5, 2));
        assert_ne!(order(5, 1), order(6, 1));
        assert_ne!(order(2, 1), order(1, 2));
    }
}
