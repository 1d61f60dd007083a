use std::fmt::Write as _;

use super::{Change, Compared, Finding};
use crate::report::number;

/// The comparison as a page: what changed first, then the rest.
#[must_use]
pub fn markdown(compared: &Compared) -> String {
    let mut page = format!("# {} → {}\n\n", compared.before, compared.after);
    for line in &compared.circumstances {
        let _ = writeln!(page, "- {line}");
    }
    let _ = writeln!(
        page,
        "\nEach ratio is after ÷ before, within the states of the machine that both runs have seen, with an interval that holds for all \
         rows at once in 95 % of all comparisons. Beyond: the ratio ÷ that of the ceiling, and of the ceiling itself ÷ that of the others: \
         what the machine changed by between the runs is not in it.\n"
    );
    let _ = writeln!(
        page,
        "| finding | load | contender | figure | before | after | ratio (95 %) | beyond (95 %) |"
    );
    let _ = writeln!(page, "|---|---|---|---|---:|---:|---:|---:|");
    let rank = |finding: &Finding| match finding {
        Finding::Worse(_) => 0,
        Finding::Better(_) => 1,
        Finding::MachineChanged(_) => 2,
        Finding::NoDifferenceSeen(_) => 3,
        Finding::NotComparable { .. } => 4,
    };
    let mut rows: Vec<_> = compared.rows.iter().collect();
    rows.sort_by_key(|row| rank(&row.finding));
    for row in rows {
        let (word, figures) = match &row.finding {
            Finding::Worse(change) => ("**worse**", figures(change)),
            Finding::Better(change) => ("**better**", figures(change)),
            Finding::NoDifferenceSeen(change) => ("no difference seen", figures(change)),
            Finding::MachineChanged(change) => ("the machine changed", figures(change)),
            Finding::NotComparable { because, .. } => ("not comparable", format!("| | {because} |")),
        };
        let _ = writeln!(page, "| {word} | {} | {} | {} | {figures} |", row.load, row.contender, row.figure);
    }
    page
}

fn figures(Change { before, after, ratio, interval, beyond }: &Change) -> String {
    let shown = |ratio: f64, (low, high): (f64, f64)| format!("{ratio:.3} ({low:.3}–{high:.3})");
    let beyond = beyond.map_or_else(String::new, |beyond| shown(beyond.ratio, beyond.interval));
    format!("{} | {} | {} | {beyond}", number(*before), number(*after), shown(*ratio, *interval))
}
