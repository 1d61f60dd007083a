use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::Difference;

/// One trial's figure on a logarithmic scale, and the state of the machine that it was taken in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tagged {
    /// The state.
    pub state: usize,
    /// The figure.
    pub value: f64,
}

/// A cell of two runs: the trials of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pair {
    /// Cells of one family have the same noise: those of one figure and load.
    pub family: usize,
    /// The first run's.
    pub before: Vec<Tagged>,
    /// The second run's.
    pub after: Vec<Tagged>,
    /// Cells of the family, by their place among all, that tell what the machine changed by.
    pub beside: Vec<usize>,
}

/// What a cell changed by from one run to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// All in all.
    pub all: Difference,
    /// Beyond what the cells beside it changed by; `None` where there are none that can be compared.
    pub beyond: Option<Difference>,
}

impl Change {
    /// Can the data tell it from 0, and from what the machine changed by?
    #[must_use]
    pub fn is_real(&self, noise_floor: f64) -> bool {
        let goes_beyond = |beyond: Difference| {
            beyond.is_real(noise_floor) && beyond.value.signum() == self.all.value.signum()
        };
        self.all.is_real(noise_floor) && self.beyond.is_none_or(goes_beyond)
    }
}

/// What each cell has changed by from one run to another; `None` where the two have no state of the machine in
/// common, or there are too few trials to judge the noise by.
///
/// Means are compared within a state. The noise is pooled over the cells of a family, in each state by itself, and the
/// intervals hold for all cells at once, by Bonferroni's correction of Student's t (Miller, *Simultaneous Statistical
/// Inference*, 1981). A machine that drifts between two runs moves all cells of a family, and the noise within either run
/// does not know of it: a change is also held against that of the cells beside it.
#[must_use]
pub fn changes(cells: &[Pair]) -> Vec<Option<Change>> {
    let groups: Vec<Vec<(usize, Group, Group)>> = cells.iter().map(by_state).collect();
    let mut noise: BTreeMap<(usize, usize), Noise> = BTreeMap::new();
    for (cell, states) in cells.iter().zip(&groups) {
        for (state, before, after) in states {
            let pooled = noise.entry((cell.family, *state)).or_default();
            pooled.squares += before.squares + after.squares;
            pooled.freedom += before.count + after.count - 2.0;
        }
    }
    let compared = groups.iter().filter(|states| !states.is_empty()).count();
    let shifts: Vec<Option<Shift>> =
        cells.iter().zip(&groups).map(|(cell, states)| shift(cell.family, states, &noise)).collect();
    let judged = |shift: Shift| {
        let t = StudentsT::new(0.0, 1.0, shift.freedom).ok()?;
        let critical = t.inverse_cdf(1.0 - 0.025 / compared as f64);
        Some(Difference { value: shift.value, half_width: critical * shift.variance.sqrt() })
    };
    cells
        .iter()
        .zip(&shifts)
        .map(|(cell, shift)| {
            let shift = (*shift)?;
            let beside: Vec<Shift> = cell.beside.iter().filter_map(|&other| shifts[other]).collect();
            let beyond = (!beside.is_empty()).then(|| shift.beyond(&beside)).and_then(judged);
            Some(Change { all: judged(shift)?, beyond })
        })
        .collect()
}

/// By how much a cell's figure moved, and how well that is known.
#[derive(Debug, Clone, Copy)]
struct Shift {
    value: f64,
    variance: f64,
    freedom: f64,
}

impl Shift {
    /// Less the mean of these.
    fn beyond(self, others: &[Self]) -> Self {
        let count = others.len() as f64;
        let mean = others.iter().map(|other| other.value).sum::<f64>() / count;
        let variance = others.iter().map(|other| other.variance).sum::<f64>() / (count * count);
        let freedom = others.iter().map(|other| other.freedom).fold(self.freedom, f64::min);
        Self { value: self.value - mean, variance: self.variance + variance, freedom }
    }
}

fn shift(
    family: usize,
    states: &[(usize, Group, Group)],
    noise: &BTreeMap<(usize, usize), Noise>,
) -> Option<Shift> {
    // States weigh by what each knows: the inverse of its difference's variance.
    let (mut weights, mut sum, mut freedom) = (0.0, 0.0, f64::INFINITY);
    for (state, before, after) in states {
        let noise = noise.get(&(family, *state)).filter(|noise| noise.freedom > 0.0)?;
        let weight = noise.freedom / noise.squares / (1.0 / before.count + 1.0 / after.count);
        weights += weight;
        sum += weight * (after.mean - before.mean);
        freedom = noise.freedom.min(freedom);
    }
    // Without any noise, as in figures that are counts, the weight is without limit.
    let value = if weights.is_finite() { sum / weights } else { plain_difference(states) };
    (weights > 0.0).then(|| Shift { value, variance: 1.0 / weights, freedom })
}

/// Noise of a family in a state.
#[derive(Default)]
struct Noise {
    squares: f64,
    freedom: f64,
}

fn plain_difference(states: &[(usize, Group, Group)]) -> f64 {
    states.iter().map(|(_, before, after)| after.mean - before.mean).sum::<f64>() / states.len() as f64
}

struct Group {
    count: f64,
    mean: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

/// The states that both runs have trials in.
fn by_state(cell: &Pair) -> Vec<(usize, Group, Group)> {
    let (before, mut after) = (grouped(&cell.before), grouped(&cell.after));
    before.into_iter().filter_map(|(state, group)| Some((state, group, after.remove(&state)?))).collect()
}

fn grouped(trials: &[Tagged]) -> BTreeMap<usize, Group> {
    let mut states: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for trial in trials {
        states.entry(trial.state).or_default().push(trial.value);
    }
    let group = |values: Vec<f64>| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        Group { count, mean, squares: values.iter().map(|value| (value - mean).powi(2)).sum() }
    };
    states.into_iter().map(|(state, values)| (state, group(values))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::comparison::normal;
    use super::*;

    /// A run of cells with these true values, five trials each, in two states of which one costs 30 % more.
    fn run(truth: &[f64], random: &mut fastrand::Rng) -> Vec<Vec<Tagged>> {
        let mut trial = |truth: f64| {
            let state = usize::from(random.f64() < 0.3);
            let noise = [0.005, 0.02][state] * normal(random);
            Tagged { state, value: truth + [0.0, 0.3][state] + noise }
        };
        truth.iter().map(|&truth| (0..5).map(|_| trial(truth)).collect()).collect()
    }

    fn pairs(before: &[f64], after: &[f64], seed: u64) -> Vec<Pair> {
        let mut random = fastrand::Rng::with_seed(seed);
        let (before, after) = (run(before, &mut random), run(after, &mut random));
        let cells = before.len();
        before
            .into_iter()
            .zip(after)
            .enumerate()
            // The first cell tells of the machine, and the others do to the first.
            .map(|(cell, (before, after))| Pair {
                family: 0,
                before,
                after,
                beside: if cell == 0 { (1..cells).collect() } else { vec![0] },
            })
            .collect()
    }

    #[test]
    fn two_runs_without_a_change_show_one_in_at_most_one_pair_of_runs_in_twenty() {
        let truth: Vec<f64> = (0..24).map(f64::from).collect();
        let claims =
            |seed: &u64| changes(&pairs(&truth, &truth, *seed)).iter().flatten().any(|c| c.is_real(0.0));
        let claimed = (0..400).filter(claims).count();
        // One in twenty of 400, and three standard errors of that count.
        assert!(claimed <= 20 + 13, "{claimed} of 400");
    }

    #[test]
    fn a_cell_that_became_ten_percent_slower_is_found_with_an_interval_that_holds_the_truth() {
        let before: Vec<f64> = (0..24).map(f64::from).collect();
        let mut after = before.clone();
        let truth = 1.1_f64.ln();
        after[7] += truth;
        let (mut found, mut held) = (0, 0);
        for seed in 0..200 {
            let change = changes(&pairs(&before, &after, seed))[7].expect("a state in common");
            found += u32::from(change.is_real(0.0) && change.all.value > 0.0);
            held += u32::from((change.all.value - truth).abs() <= change.all.half_width);
        }
        assert!(found >= 190 && held >= 190, "found {found}, held {held} of 200");
    }

    #[test]
    fn a_machine_that_changed_between_the_runs_shows_no_change_in_at_most_one_pair_of_runs_in_twenty() {
        let before: Vec<f64> = (0..24).map(f64::from).collect();
        for moved in [0.03, 0.1, -0.1] {
            let after: Vec<f64> = before.iter().map(|value| value + moved).collect();
            let real = |change: &Change| change.is_real(0.0);
            let seen = |change: &Change| change.all.is_real(0.0);
            let runs = (0..400).map(|seed| changes(&pairs(&before, &after, seed)));
            let (mut claimed, mut noticed) = (0, 0);
            for changes in runs {
                claimed += usize::from(changes.iter().flatten().any(real));
                noticed += usize::from(changes.iter().flatten().any(seen));
            }
            assert!(claimed <= 20 + 13, "{claimed} of 400, moved by {moved}");
            assert!(noticed > 390, "without the others it would be claimed: {noticed}");
        }
    }

    #[test]
    fn a_cell_that_became_slower_is_found_on_a_machine_that_became_faster_only_if_it_did_all_in_all() {
        let before: Vec<f64> = (0..24).map(f64::from).collect();
        let found = |moved: f64, slower: f64| {
            let mut after: Vec<f64> = before.iter().map(|value| value + moved).collect();
            after[7] += slower;
            let is_found = |seed: &u64| {
                changes(&pairs(&before, &after, *seed))[7].is_some_and(|change| change.is_real(0.0))
            };
            (0..100).filter(is_found).count()
        };
        assert!(found(0.05, 0.2) > 95 && found(-0.05, 0.2) > 95);
        assert!(found(-0.1, 0.1) < 5, "what cancels out is no change to whoever looks at the figure");
    }

    #[test]
    fn cells_without_a_state_in_common_are_not_compared() {
        let tagged = |state| (0..3).map(|i| Tagged { state, value: f64::from(i) }).collect::<Vec<_>>();
        let apart = Pair { before: tagged(0), after: tagged(1), ..Pair::default() };
        let together = Pair { before: tagged(0), after: tagged(0), beside: vec![0], ..Pair::default() };
        let found = changes(&[apart, together]);
        assert!(found[0].is_none());
        assert!(found[1].is_some_and(|change| change.all.value.abs() < 1e-12 && change.beyond.is_none()));
        assert_eq!(changes(&[]), []);
    }
}
