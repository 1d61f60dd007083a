use std::path::Path;

use loadgen::Measurement;

use crate::results::{Outcome, read};

/// A real measurement, for tests to change: two seconds of echo in closed loop on 64 connections, none of which erred.
pub(super) fn measurement() -> Measurement {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema-1.json");
    let trial = read(&file).expect("results").trials.swap_remove(0);
    let Outcome::Measured(measured) = trial.outcome else { panic!("it failed") };
    measured.measurement
}
