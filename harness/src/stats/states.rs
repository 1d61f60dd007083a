/// How much further apart than its neighbour a reading must be to belong to another state.
const GAP: f64 = 1.5;

/// Sorts readings into states: those that lie together, a gap of half as much again apart from the next. Each
/// reading's state, numbered from the smallest.
#[must_use]
pub fn states(readings: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..readings.len()).collect();
    order.sort_by(|&a, &b| readings[a].total_cmp(&readings[b]));
    let mut states = vec![0; readings.len()];
    let mut state = 0;
    for pair in order.windows(2) {
        if is_other_state(readings[pair[0]], readings[pair[1]]) {
            state += 1;
        }
        states[pair[1]] = state;
    }
    states
}

/// Were these two read in different states?
#[must_use]
pub fn is_other_state(one: f64, other: f64) -> bool {
    one.max(other) > one.min(other) * GAP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_that_lie_together_are_one_state() {
        assert_eq!(states(&[66.0, 318.0, 64.0, 71.0, 330.0]), [0, 1, 0, 0, 1]);
        assert_eq!(states(&[1.0, 1.1, 1.2]), [0, 0, 0]);
        assert_eq!(states(&[]), [] as [usize; 0]);
    }
}
