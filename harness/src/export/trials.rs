use anyhow::{Result, anyhow};
use csv::{Terminator, WriterBuilder};

use crate::report::{Figure, costs_of, figures};
use crate::results::{Outcome, Run, States};

/// A row a trial, in the order in which they were taken; a column a figure, empty where a load has none of it.
pub(super) fn table(run: &Run) -> Result<String> {
    let mut columns: Vec<&Figure> = Vec::new();
    let loads = || run.header.profile.loads.iter().map(|asked| &asked.load);
    for figure in loads().flat_map(figures).chain(loads().flat_map(costs_of)) {
        if columns.iter().all(|column| column.name != figure.name) {
            columns.push(figure);
        }
    }
    let states = States::of(&run.trials);
    let mut csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let about =
        ["Trial", "Round", "Contender", "Load", "Begun (UTC)", "Outcome", "Because", "State of the machine"];
    csv.write_record(about.into_iter().chain(columns.iter().map(|figure| figure.name)))?;
    for (number, trial) in (1..).zip(&run.trials) {
        let (outcome, because, state) = match &trial.outcome {
            Outcome::Failed(failed) => ("failed", failed.failure.to_string(), String::new()),
            Outcome::Measured(measured) => {
                let outcome = if measured.is_valid() { "valid" } else { "invalid" };
                let doubts: Vec<String> = measured.doubts.iter().map(ToString::to_string).collect();
                (outcome, doubts.join("; "), (states.index_of(measured) + 1).to_string())
            }
        };
        let (round, load) = (trial.slot.round.to_string(), trial.slot.load.to_string());
        let about = [
            &number.to_string(),
            &round,
            &trial.slot.contender,
            &load,
            &trial.started_at,
            outcome,
            &because,
            &state,
        ];
        let own = [figures(&trial.slot.load), costs_of(&trial.slot.load)].concat();
        let values = columns.iter().map(|column| {
            let Outcome::Measured(measured) = &trial.outcome else { return String::new() };
            let figure = own.iter().find(|figure| figure.name == column.name);
            figure.and_then(|figure| (figure.of)(measured)).map_or(String::new(), |value| value.to_string())
        });
        csv.write_record(about.into_iter().map(str::to_owned).chain(values))?;
    }
    let bytes = csv.into_inner().map_err(|error| anyhow!("{error}"))?;
    Ok(String::from_utf8(bytes)?)
}
