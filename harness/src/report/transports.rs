//! Transports side by side: the loads of a run that are one job, asked by each of several transports.

mod first;

use super::figures::{Figure, figures};
use super::number;
use super::sheet::{Cell, cell};
use super::standing::{compared, estimated, is_lower_bound, noise_floor, valid};
use super::table::Table;
use super::wire::BOTH_WAYS;
use crate::plan::{Load, Subscription};
use crate::results::{Entry, Run, States};
pub(crate) use first::{Said, WAY_COLUMNS};

/// Bytes may be the same in every trial: what rounding then leaves between them is no difference.
const ROUNDING: f64 = 1e-9;

/// What is asked by several transports.
pub(crate) struct Job<'a> {
    /// The loads' name without a transport.
    pub title: String,
    /// In the profile's order.
    pub ways: Vec<Way<'a>>,
    /// The contenders that two of them at least were asked of, but for the control.
    pub contenders: Vec<&'a Entry>,
    pub figures: Vec<Compared>,
}

/// A job by one transport.
pub(crate) struct Way<'a> {
    pub transport: String,
    pub load: &'a Load,
}

/// A figure of a job.
pub(crate) struct Compared {
    pub figure: &'static Figure,
    /// The largest factor by which the control differs from itself by one of the transports.
    pub noise_floor: f64,
    /// By contender, then by transport; the place is that among a contender's transports.
    pub cells: Vec<Vec<Cell>>,
}

/// A table of all jobs with the transports that are first, and for each job one with a column a contender and for each figure
/// a row a transport.
#[must_use]
pub fn transports(run: &Run) -> Vec<Table> {
    let jobs = jobs(run);
    if jobs.is_empty() {
        return Vec::new();
    }
    let row = |job: &Job<'_>| {
        let said = |firsts: Vec<Said>| firsts.iter().map(Said::text).collect::<Vec<_>>().join("; ");
        let cells = job
            .said()
            .into_iter()
            .map(|firsts| if firsts.is_empty() { "–".to_owned() } else { said(firsts) });
        (job.title.clone(), cells.collect())
    };
    let all = Table {
        title: "Which transport is first".to_owned(),
        columns: WAY_COLUMNS.map(str::to_owned).into(),
        rows: jobs.iter().map(row).collect(),
        notes: Vec::new(),
    };
    std::iter::once(all).chain(jobs.iter().map(Job::table)).collect()
}

/// The jobs of a run, in its profile's order.
pub(crate) fn jobs(run: &Run) -> Vec<Job<'_>> {
    let loads = run.header.profile.loads.iter().map(|asked| &asked.load);
    groups(loads)
        .into_iter()
        .map(|ways| Job::of(run, ways))
        .filter(|job| !job.contenders.is_empty())
        .collect()
}

/// The loads that another load differs from in its transport alone. Subscribers by several at once are no transport to pick.
fn groups<'a>(loads: impl Iterator<Item = &'a Load>) -> Vec<Vec<Way<'a>>> {
    let mut groups: Vec<Vec<Way<'_>>> = Vec::new();
    for load in loads {
        let Some(transport) = load.transport() else { continue };
        if transport == Subscription::Mixed.to_string() {
            continue;
        }
        let alike = |group: &&mut Vec<Way<'_>>| group[0].load.over_websocket() == load.over_websocket();
        let way = Way { transport, load };
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(way),
            None => groups.push(vec![way]),
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

impl<'a> Job<'a> {
    fn of(run: &'a Run, ways: Vec<Way<'a>>) -> Self {
        let is_asked = |entry: &&Entry| {
            let by = |way: &&Way<'_>| run.header.asked(way.load).iter().any(|other| other.name == entry.name);
            !entry.is_control() && ways.iter().filter(by).count() > 1
        };
        let contenders: Vec<&Entry> = run.header.contenders.iter().filter(is_asked).collect();
        let by_websocket = ways[0].load.over_websocket();
        let title = by_websocket.to_string().replace(", websocket", "");
        let ranked = figures(&by_websocket).into_iter().filter(|figure| figure.better.is_some());
        let compared = ranked.chain([BOTH_WAYS]).map(|figure| Compared::of(run, &contenders, &ways, figure));
        let figures = compared.collect();
        Self { title, ways, contenders, figures }
    }

    /// What its table is headed by.
    pub fn table_title(&self) -> String {
        format!("Transports for {}", self.title)
    }

    fn table(&self) -> Table {
        let rows = self.figures.iter().flat_map(|compared| {
            let firsts = compared.cells.iter().map(|cells| self.first_text(cells)).collect();
            let of = |(way, Way { transport, .. }): (usize, &Way<'_>)| {
                let texts = compared.cells.iter().map(|cells| cells[way].text()).collect();
                (transport.clone(), texts)
            };
            std::iter::once((compared.title(), firsts)).chain(self.ways.iter().enumerate().map(of))
        });
        Table {
            title: self.table_title(),
            columns: self.contenders.iter().map(|entry| entry.name.clone()).collect(),
            rows: rows.collect(),
            notes: Vec::new(),
        }
    }
}

impl Compared {
    fn of(run: &Run, contenders: &[&Entry], ways: &[Way<'_>], figure: &'static Figure) -> Self {
        let states = &States::of(&run.trials);
        let floor = ways.iter().map(|way| noise_floor(run, way.load, figure)).fold(1.0, f64::max);
        let columns: Vec<Vec<Cell>> = ways
            .iter()
            .map(|Way { load, .. }| {
                // With all that the load was asked of, so that the intervals are those of its own table.
                let asked = run.header.asked(load);
                let estimates = estimated(run, states, load, &asked, figure.of);
                let of = |entry: &&Entry| match asked.iter().position(|other| other.name == entry.name) {
                    Some(at) => cell(run, states, entry, load, figure, estimates[at]),
                    None => Cell { value: Err("not asked"), ..cell(run, states, entry, load, figure, None) },
                };
                contenders.iter().map(of).collect()
            })
            .collect();
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        let cells = contenders.iter().map(|entry| {
            let mut cells: Vec<Cell> = columns.iter_mut().filter_map(Iterator::next).collect();
            place(run, entry, ways, figure, floor, &mut cells);
            cells
        });
        Self { figure, noise_floor: floor, cells: cells.collect() }
    }

    /// Its name, with what it cannot tell apart.
    fn title(&self) -> String {
        let percent = (self.noise_floor - 1.0) * 100.0;
        let noise = if percent > 0.0 { format!("; noise {} %", number(percent)) } else { String::new() };
        format!("{}{noise}", self.figure.name)
    }
}

/// Gives a contender's transports their places. Nothing is claimed that is less than what the control differed from itself by.
fn place(run: &Run, entry: &Entry, ways: &[Way<'_>], figure: &Figure, floor: f64, cells: &mut [Cell]) {
    let asked: Vec<(&Entry, &Load)> = ways.iter().map(|way| (entry, way.load)).collect();
    let better = figure.better.filter(|_| figure.is_ranked);
    let Some((better, (ranked, comparison))) = better.zip(compared(run, &asked, figure)) else {
        return;
    };
    let is_bound = |way: usize| figure.is_rate && is_lower_bound(valid(run, entry, ways[way].load));
    let bounds: Vec<usize> = (0..ranked.len()).filter(|i| is_bound(ranked[*i])).collect();
    let places = comparison.places(better, floor.ln().max(ROUNDING), None, &bounds);
    for (way, place) in ranked.into_iter().zip(places) {
        cells[way].place = Some(place);
    }
}

#[cfg(test)]
mod tests;
