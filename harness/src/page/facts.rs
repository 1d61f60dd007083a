use crate::report::{Sheet, number};
use crate::results::Run;

/// What a reader wants to know of the run before its figures.
pub(super) fn facts(run: &Run, sheets: &[Sheet<'_>]) -> Vec<(&'static str, String)> {
    let machine = &run.header.environment;
    let mut floors: Vec<f64> = sheets
        .iter()
        .flat_map(|sheet| sheet.rows.iter().filter_map(|row| row.noise_floor))
        .map(|floor| (floor - 1.0) * 100.0)
        .collect();
    floors.sort_by(f64::total_cmp);
    let noise = match (floors.get(floors.len() / 2), floors.last()) {
        (Some(middle), Some(most)) => {
            format!("{} % in the middle, {} % at most", number(*middle), number(*most))
        }
        _ => "not known: the run has no control".to_owned(),
    };
    vec![
        ("Machine", format!("{}, {} cores, {}", machine.processor, machine.cores, machine.kernel)),
        (
            "Trials",
            format!(
                "{} in {} rounds of {} s",
                run.trials.len(),
                run.header.profile.rounds,
                run.header.profile.seconds
            ),
        ),
        ("Taken again", format!("{}, because the machine’s state changed", run.repeated())),
        ("Noise floor", noise),
        (
            "Contract",
            if run.header.verified { "just proved by each contender" } else { "not checked" }.to_owned(),
        ),
    ]
}
