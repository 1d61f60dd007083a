use super::figures::figures;
use crate::plan::Load;
use crate::results::Outcome;

/// The figures of one trial by which something can be won, by their names; none of one that failed.
pub(crate) fn ranked(load: &Load, outcome: &Outcome) -> Vec<(&'static str, f64)> {
    let Outcome::Measured(measured) = outcome else { return Vec::new() };
    let ranked = figures(load).into_iter().filter(|figure| figure.better.is_some());
    ranked.filter_map(|figure| Some((figure.name, (figure.of)(measured)?))).collect()
}
