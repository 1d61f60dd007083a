use std::fmt::Write as _;

use super::head::moment;
use crate::results::Run;

/// A line of the list of runs.
pub(crate) struct Listed {
    pub name: String,
    pub began: String,
    pub profile: String,
    pub machine: String,
    pub contenders: usize,
    pub trials: usize,
    /// What is to be known before it is opened.
    pub remark: &'static str,
}

impl Listed {
    pub fn of(run: &Run) -> Self {
        let header = &run.header;
        let contenders = header.contenders.iter().filter(|entry| !entry.is_control());
        Self {
            name: header.name.clone(),
            began: moment(&header.started_at),
            profile: header.profile.name.clone(),
            machine: format!("{}, {} cores", header.environment.processor, header.environment.cores),
            contenders: contenders.count(),
            trials: run.trials.len(),
            remark: match (run.is_complete(), header.verified) {
                (false, _) => "cut off",
                (true, false) => "contract not checked",
                (true, true) => "",
            },
        }
    }
}

/// The runs as a table, with links to their pages.
#[must_use]
pub fn index_markdown<'a>(runs: impl IntoIterator<Item = &'a Run>) -> String {
    let mut table = "| run | begun (UTC) | profile | machine | contenders | trials | |\n".to_owned();
    table.push_str("|---|---|---|---|---:|---:|---|\n");
    for Listed { name, began, profile, machine, contenders, trials, remark } in
        runs.into_iter().map(Listed::of)
    {
        let links = format!("[{name}]({name}.md) ([page]({name}.html), [JSON]({name}.json))");
        let _ = writeln!(
            table,
            "| {links} | {began} | {profile} | {machine} | {contenders} | {trials} | {remark} |"
        );
    }
    table
}
