use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::num::NonZeroU32;
use std::path::Path;

use super::*;
use crate::plan::Until;
use crate::results::{Entry, Measured, Outcome, Run, read};
use crate::stats::{Seen, estimates, normal};
use crate::trial::{Failed, Failure};

/// How the CPU time of a trial comes about: its standard deviations, on the logarithm.
struct Machine {
    seed: u64,
    /// Of what a round has in common.
    round: f64,
    /// Of a trial's own.
    trial: fn(&Slot) -> f64,
}

impl Machine {
    /// The factor of a trial's CPU time: the same whenever it is taken.
    fn factor(&self, slot: &Slot) -> f64 {
        let drawn = |of: &dyn Fn(&mut DefaultHasher)| {
            let mut hasher = DefaultHasher::new();
            self.seed.hash(&mut hasher);
            of(&mut hasher);
            normal(&mut fastrand::Rng::with_seed(hasher.finish()))
        };
        let common = drawn(&|hasher| (slot.round, slot.load.to_string()).hash(hasher));
        let own = drawn(&|hasher| (slot.round, &slot.contender, slot.load.to_string()).hash(hasher));
        (self.round * common + (self.trial)(slot) * own).exp()
    }
}

fn fixture() -> Run {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-1.json")).expect("results")
}

/// Of four contenders and two loads: three rounds, and more until the figures are known to so many percent.
fn header(until: Option<Until>) -> Header {
    let mut header = fixture().header;
    header.profile.rounds = NonZeroU32::new(3).expect("not zero");
    header.profile.until = until;
    let mut other = header.profile.loads[0].load.clone();
    let Load::Echo { connections, .. } = &mut other else { panic!("no echo") };
    *connections = NonZeroU32::new(1000).expect("not zero").try_into().expect("few");
    header.profile.loads.truncate(1);
    header.profile.loads.push(other.into());
    let entry = header.contenders[0].clone();
    let named = |name: &str| {
        let mut entry = Entry { name: name.to_owned(), ..entry.clone() };
        entry.manifest.name = name.to_owned();
        entry
    };
    header.contenders = ["a", "b", "c", "d"].map(named).to_vec();
    header
}

fn until(percent: f64, seconds: f64) -> Option<Until> {
    Some(Until { percent, seconds })
}

fn busy(slot: &Slot) -> bool {
    slot.load.connections() == 1000
}

/// A trial of ten seconds.
fn trial(slot: Slot, machine: &Machine, model: &Measured) -> Trial {
    let mut measured = model.clone();
    measured.server.cpu_us *= machine.factor(&slot);
    let outcome = Outcome::Measured(Box::new(measured));
    Trial { slot, started_at: String::new(), took_s: Some(10.0), outcome }
}

/// A measurement that nothing speaks against.
fn model() -> Measured {
    let Outcome::Measured(mut measured) = fixture().trials.swap_remove(0).outcome else {
        panic!("it failed")
    };
    measured.doubts.clear();
    *measured
}

/// Takes all trials that are asked for, behind these.
fn run(header: &Header, mut trials: Vec<Trial>, mut take: impl FnMut(Slot) -> Trial) -> Run {
    loop {
        let slots = next_round(header, &trials, 0);
        if slots.is_empty() {
            return Run { header: header.clone(), finished_at: String::new(), trials };
        }
        trials.extend(slots.into_iter().map(&mut take));
        assert!(trials.len() < 10_000, "it does not end");
    }
}

fn rounds_of(run: &Run, of: impl Fn(&Slot) -> bool) -> u32 {
    run.trials.iter().filter(|trial| of(&trial.slot)).map(|trial| trial.slot.round).max().unwrap_or(0)
}

const QUIET: Machine = Machine { seed: 1, round: 0.0, trial: |_| 0.002 };
/// Half of the loads has a noise that would take hundreds of rounds.
const UNEVEN: Machine = Machine { seed: 1, round: 0.0, trial: |slot| if busy(slot) { 0.3 } else { 0.002 } };

#[test]
fn without_it_a_run_has_its_profiles_rounds_and_is_then_complete() {
    let (header, model) = (header(None), model());
    let run = run(&header, Vec::new(), |slot| trial(slot, &UNEVEN, &model));
    let slots: Vec<Slot> = run.trials.iter().map(|trial| trial.slot.clone()).collect();
    assert_eq!(slots, header.slots());
    assert_eq!(slots.len(), 3 * 4 * 2);
    assert!(run.is_complete() && ending(&run).is_none());
}

#[test]
fn figures_that_are_known_end_the_run_but_not_before_six_trials_of_a_cell() {
    let (header, model) = (header(until(1.0, 1e4)), model());
    let run = run(&header, Vec::new(), |slot| trial(slot, &QUIET, &model));
    assert_eq!(rounds_of(&run, |_| true), 6);
    let ending = ending(&run).expect("asked for");
    assert_eq!((ending.rounds, ending.open), (3, Vec::new()));
    assert!(run.is_complete());
}

#[test]
fn only_the_loads_that_are_not_known_are_repeated_in_whole_blocks_until_the_time_is_spent() {
    let (header, model) = (header(until(1.0, 1000.0)), model());
    let run = run(&header, Vec::new(), |slot| trial(slot, &UNEVEN, &model));
    assert_eq!(rounds_of(&run, |slot| !busy(slot)), 6);
    // Rounds 4 to 6 take 80 s each, those behind them 40 s: the first one that finds 1000 s spent is not begun.
    assert_eq!(rounds_of(&run, busy), 6 + 19);
    for block in run.trials.chunks(4) {
        let mut names: Vec<&str> = block.iter().map(|trial| trial.slot.contender.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert!(block.iter().all(|trial| trial.slot.round == block[0].slot.round));
    }
    let ending = ending(&run).expect("asked for");
    assert_eq!(ending.spent_s, 1000.0);
    let is_told = |cell: &Cell| {
        cell.load.connections() == 1000
            && matches!(cell.lacks[..], [Lacking::Precision("Server CPU (µs/message)", percent)] if percent > 1.0)
    };
    assert!(!ending.open.is_empty() && ending.open.iter().all(is_told), "{:?}", ending.open);
    assert!(run.is_complete(), "it ended as it was told to");
}

#[test]
fn a_run_that_goes_on_takes_the_same_trials_wherever_it_was_cut_off() {
    let machine = Machine { seed: 3, round: 0.01, trial: |_| 0.01 };
    let (header, model) = (header(until(1.0, 1e4)), model());
    let whole = run(&header, Vec::new(), |slot| trial(slot, &machine, &model));
    assert!(rounds_of(&whole, |_| true) > 6, "the figures ask for more rounds");
    // Not every place: nearly all are alike.
    for taken in (0..whole.trials.len()).step_by(5) {
        let again = run(&header, whole.trials[..taken].to_vec(), |slot| trial(slot, &machine, &model));
        let slots = |run: &Run| run.trials.iter().map(|trial| trial.slot.clone()).collect::<Vec<_>>();
        assert_eq!(slots(&again), slots(&whole), "after {taken}");
    }
}

#[test]
fn a_contender_that_always_fails_is_given_up_on_and_told() {
    let (header, model) = (header(until(1.0, 1e4)), model());
    let run = run(&header, Vec::new(), |slot| {
        let failed = Failed::from(Failure::DidNotStop { within_s: 1.0 });
        let fails = slot.contender == "c";
        let taken = trial(slot, &QUIET, &model);
        if fails { Trial { outcome: Outcome::Failed(failed), ..taken } } else { taken }
    });
    assert_eq!(rounds_of(&run, |_| true), 6);
    let open = ending(&run).expect("asked for").open;
    assert_eq!(open.len(), 2);
    assert!(open.iter().all(|cell| cell.contender == "c" && cell.lacks == [Lacking::Valid]), "{open:?}");
}

/// To stop when an interval is narrow makes it hold the truth a little less often (Anscombe, *Sequential Estimation*,
/// Journal of the Royal Statistical Society B 15, 1953): how often, under the rule as it is?
#[test]
fn intervals_of_runs_that_ended_when_they_were_narrow_hold_the_truth_in_nine_cases_of_ten() {
    let model = model();
    let (mut held, mut all, mut lengths) = (0, 0, Vec::new());
    for seed in 0..60 {
        let machine = Machine { seed, round: 0.01, trial: |slot| if busy(slot) { 0.02 } else { 0.01 } };
        let header = header(until(1.5, 1e9));
        let run = run(&header, Vec::new(), |slot| trial(slot, &machine, &model));
        lengths.push(rounds_of(&run, |_| true));
        let figure = |trial: &Trial| match &trial.outcome {
            Outcome::Measured(measured) => measured.server.cpu_us / model.server.cpu_us,
            Outcome::Failed(_) => panic!("none fails"),
        };
        for load in &header.profile.loads {
            let cell = |entry: &Entry| {
                let seen = |trial: &Trial| Seen { round: trial.slot.round, value: figure(trial) };
                run.cell(&entry.name, load).map(seen).collect::<Vec<_>>()
            };
            let cells: Vec<Vec<Seen>> = header.contenders.iter().map(cell).collect();
            for (low, high) in estimates(&cells).into_iter().flatten().map(|estimate| estimate.interval) {
                held += u32::from(low <= 1.0 && 1.0 <= high);
                all += 1;
            }
        }
    }
    assert!(f64::from(held) >= 0.9 * f64::from(all), "{held} of {all}");
    assert!(lengths.iter().max() > Some(&10), "the rule decided: {lengths:?}");
}
