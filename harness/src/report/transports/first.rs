//! Which transport is first in a job, and on which frameworks.

use super::{Compared, Job};
use crate::report::answer::{COLUMNS, column_named};
use crate::report::figures::Figure;
use crate::report::sheet::{CEILING, Cell};
use crate::report::wire::BOTH_WAYS;

/// What is compared, as the columns of the table of all jobs.
pub(crate) const WAY_COLUMNS: [&str; 6] =
    [COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[3], COLUMNS[4], "On the wire"];

/// The column that a figure belongs to, if any.
fn column_of(figure: &Figure) -> Option<usize> {
    if figure.name == BOTH_WAYS.name {
        Some(COLUMNS.len())
    } else {
        column_named(figure.name, figure.is_rate)
    }
}

/// What several frameworks agree on.
pub(crate) struct Said {
    pub first: First,
    pub frameworks: Vec<String>,
    /// Are they all that were compared?
    pub is_of_all: bool,
}

impl Said {
    /// With whom.
    pub fn with(&self) -> String {
        match (self.is_of_all, self.frameworks.len()) {
            (true, count) if count > 1 => format!("all {count}"),
            _ => self.frameworks.join(", "),
        }
    }

    /// On one line.
    pub fn text(&self) -> String {
        format!("{} ({})", self.first.text(), self.with())
    }
}

/// The transports that are first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct First {
    pub transports: Vec<String>,
    /// Are they all that were compared?
    pub is_all: bool,
}

impl First {
    /// With ties as ties.
    pub fn text(&self) -> String {
        match (self.is_all, self.transports.as_slice()) {
            (true, _) => "no difference seen".to_owned(),
            (false, [one]) => one.clone(),
            (false, several) => format!("tie of {}", several.join(", ")),
        }
    }
}

impl Job<'_> {
    /// For each of [`WAY_COLUMNS`] the transports that are first, and with which frameworks; those that most agree on before others.
    pub fn said(&self) -> Vec<Vec<Said>> {
        let column = |column: usize| {
            let of = |compared: &&Compared| column_of(compared.figure) == Some(column);
            let mut said: Vec<Said> = Vec::new();
            let Some(compared) = self.figures.iter().find(of) else { return said };
            let frameworks =
                self.contenders.iter().zip(&compared.cells).filter(|(entry, _)| entry.name != CEILING);
            let firsts: Vec<_> = frameworks
                .filter_map(|(entry, cells)| Some((entry.name.clone(), self.first(cells)?)))
                .collect();
            let all = firsts.len();
            for (name, first) in firsts {
                match said.iter_mut().find(|said| said.first == first) {
                    Some(said) => said.frameworks.push(name),
                    None => said.push(Said { first, frameworks: vec![name], is_of_all: false }),
                }
            }
            said.iter_mut().for_each(|said| said.is_of_all = said.frameworks.len() == all);
            said.sort_by_key(|said| std::cmp::Reverse(said.frameworks.len()));
            said
        };
        (0..WAY_COLUMNS.len()).map(column).collect()
    }

    /// Which transports nothing is shown to be better than, of a contender's cells; none where they were not compared.
    pub fn first(&self, cells: &[Cell]) -> Option<First> {
        let ranked = || cells.iter().zip(&self.ways).filter(|(cell, _)| cell.place.is_some());
        let best = ranked().map(|(cell, _)| cell.place).min()?;
        let compared = ranked().count();
        let transports: Vec<String> =
            ranked().filter(|(cell, _)| cell.place == best).map(|(_, way)| way.transport.clone()).collect();
        (compared > 1).then_some(First { is_all: transports.len() == compared, transports })
    }

    pub(super) fn first_text(&self, cells: &[Cell]) -> String {
        self.first(cells).map_or("–".to_owned(), |first| match first.transports.as_slice() {
            [one] => format!("first: {one}"),
            _ => first.text(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Load;
    use crate::report::figures::figures;

    #[test]
    fn a_figure_without_a_column_takes_no_other() {
        let storm = "workload = \"connect\"\nconnections = 4\ntransport = \"xhr\"\nstorm = true";
        let storm: Load = toml::from_str(storm).expect("a load");
        let figures = figures(&storm);
        assert_eq!((figures[0].name, column_of(figures[0])), ("All open after (ms)", None));
        assert_eq!(column_of(BOTH_WAYS).map(|column| WAY_COLUMNS[column]), Some("On the wire"));
    }
}
