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

/// Randomised complete blocks: in each round the loads in random order, and for each load all contenders
/// back to back in random order, so that they are compared under the same state of the machine and none has
/// a place of its own in it (Montgomery, Design and Analysis of Experiments, chapter 4).
#[must_use]
pub fn schedule(contenders: &[String], loads: &[Load], rounds: u32, seed: u64) -> Vec<Slot> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut slots = Vec::new();
    for round in 1..=rounds {
        let mut loads = loads.to_vec();
        random.shuffle(&mut loads);
        for load in loads {
            let mut contenders = contenders.to_vec();
            random.shuffle(&mut contenders);
            slots.extend(contenders.into_iter().map(|contender| Slot {
                round,
                contender,
                load: load.clone(),
            }));
        }
    }
    slots
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
        let slots = schedule(&names(), &[load(1), load(2)], 3, 7);
        assert_eq!(slots.len(), 4 * 2 * 3);
        assert_eq!(slots.iter().collect::<HashSet<_>>().len(), slots.len());
        for block in slots.chunks(4) {
            assert!(block.iter().all(|slot| slot.load == block[0].load && slot.round == block[0].round));
        }
    }

    #[test]
    fn a_seed_repeats_an_order_and_another_gives_another() {
        let order = |seed| schedule(&names(), &[load(1), load(2)], 5, seed);
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }
}
