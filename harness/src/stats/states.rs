/// How much further apart than its neighbour a reading must be to belong to another state.
const GAP: f64 = 1.5;

/// Were these two read in different states?
#[must_use]
pub fn is_other_state(one: f64, other: f64) -> bool {
    one.max(other) > one.min(other) * GAP
}
