//! A run with what all charts are drawn of.

use harness::plan::Load;
use harness::results::{Outcome, Run};

/// Its open loops at three rates, each as long as three seconds.
pub fn with_more_rates(mut run: Run) -> Run {
    let paced: Vec<_> =
        run.header.profile.loads.iter().filter(|asked| asked.load.rate().is_some()).cloned().collect();
    assert!(!paced.is_empty(), "the run has an open loop");
    for trial in run.trials.iter_mut().filter(|trial| trial.slot.load.rate().is_some()) {
        if let Outcome::Measured(measured) = &mut trial.outcome {
            let measurement = &mut measured.measurement;
            measurement.seconds *= 3.0;
            measurement.messages *= 3;
            let seconds = measurement.series.clone();
            measurement.series = [seconds.clone(), seconds.clone(), seconds].concat();
        }
    }
    for rate in [1000, 100_000] {
        let other = |load: &Load| -> Load {
            let mut value = serde_json::to_value(load).expect("JSON");
            value["rate"] = rate.into();
            serde_json::from_value(value).expect("a load")
        };
        for asked in &paced {
            run.header.profile.loads.push(other(&asked.load).into());
            let copies: Vec<_> =
                run.trials.iter().filter(|trial| trial.slot.load == asked.load).cloned().collect();
            run.trials.extend(copies.into_iter().map(|mut trial| {
                trial.slot.load = other(&asked.load);
                trial
            }));
        }
    }
    run
}
