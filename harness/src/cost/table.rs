use std::fmt::Write as _;

use super::{Cost, Costs};
use crate::report::number;

/// The table, with where it was taken.
#[must_use]
pub fn markdown(costs: &Costs) -> String {
    let mut text = match &costs.machine {
        Some(machine) => format!(
            "Built on {}, {} cores, with {}, at commit {}.\n\n",
            machine.processor,
            machine.cores,
            machine.rustc,
            machine.commit.as_deref().unwrap_or("unknown")
        ),
        None => {
            "Not built yet: `harness cost` builds each from nothing and adds size and time.\n\n".to_owned()
        }
    };
    text.push_str("| | lines | of them WebSocket | of them event streams | shared lines | crates | binary (MiB) | clean build (s) |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for (name, cost) in &costs.contenders {
        let _ = writeln!(text, "| {name} | {} |", cost.cells().join(" | "));
    }
    text
}

impl Cost {
    /// Its figures as texts, in the table's order.
    pub(crate) fn cells(&self) -> [String; 7] {
        let unknown = if self.script { "script" } else { "–" };
        let built = |value: Option<f64>| value.map_or(unknown.to_owned(), number);
        let count = |value: Option<usize>| value.map_or("–".to_owned(), |value| value.to_string());
        [
            self.lines.to_string(),
            count(self.websocket_lines),
            count(self.event_stream_lines),
            self.shared_lines.to_string(),
            if self.script { unknown.to_owned() } else { count(self.crates) },
            built(self.binary_bytes.map(|bytes| bytes as f64 / 1_048_576.0)),
            built(self.compile_s),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_told_from_what_was_not_built_yet() {
        let script = Cost { lines: 7, script: true, ..Cost::default() };
        assert_eq!(script.cells(), ["7", "–", "–", "0", "script", "script", "script"]);
        let rust = Cost { crates: Some(9), binary_bytes: Some(2 << 20), ..Cost::default() };
        assert_eq!(rust.cells(), ["0", "–", "–", "0", "9", "2.000", "–"]);
    }
}
