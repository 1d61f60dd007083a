//! What the Autobahn cases say of the contenders: as it is kept, and as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use contract::About;
use serde::{Deserialize, Serialize};

/// What is written of a case that went as the standard demands.
const PASSED: &str = "OK";
/// What shows how a server does it, without being right or wrong.
const INFORMATIONAL: &str = "INFORMATIONAL";

/// The sections of the suite that are run, by the first number of their cases' names. Those left out, 12 and 13, are of
/// compression, which is off.
const SECTIONS: [(&str, &str); 9] = [
    ("1", "Framing"),
    ("2", "Pings and pongs"),
    ("3", "Reserved bits"),
    ("4", "Opcodes"),
    ("5", "Fragmentation"),
    ("6", "UTF-8"),
    ("7", "Closing"),
    ("9", "Limits"),
    ("10", "Miscellaneous"),
];

/// What came of the cases, by contender.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Autobahn(BTreeMap<String, Cases>);

/// What came of the cases of one contender.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cases {
    /// The framework, with its version.
    framework: String,
    /// Names of cases, such as `6.4.1`, by what came of them, in the suite's words.
    outcomes: BTreeMap<String, Vec<String>>,
}

/// The suite's report: cases by their names, by server.
#[derive(Debug, Deserialize)]
struct Index(BTreeMap<String, BTreeMap<String, Verdict>>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    behavior: String,
    behavior_close: String,
}

impl Autobahn {
    /// Takes the suite's report on a contender, its `index.json`, in the place of what was known.
    ///
    /// # Errors
    /// It is not what the suite writes.
    pub fn insert(&mut self, contender: &str, about: &About, index: &str) -> serde_json::Result<()> {
        let Index(servers) = serde_json::from_str(index)?;
        let mut outcomes = BTreeMap::<String, Vec<String>>::new();
        for (case, Verdict { behavior, behavior_close }) in servers.into_values().flatten() {
            let closed_well = [PASSED, INFORMATIONAL].contains(&behavior_close.as_str());
            let outcome = if closed_well { behavior } else { format!("CLOSE {behavior_close}") };
            outcomes.entry(outcome).or_default().push(case);
        }
        outcomes.values_mut().for_each(|cases| cases.sort_by_cached_key(|case| numbers(case)));
        let framework = format!("{} {}", about.framework, about.version);
        self.0.insert(contender.to_owned(), Cases { framework, outcomes });
        Ok(())
    }

    /// Cases passed, of how many, by section and contender; then those that were not, by name.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut page = String::from("| |");
        for name in self.0.keys() {
            page += &format!(" {name} |");
        }
        page += "\n|---|";
        page += &"---:|".repeat(self.0.len());
        for (number, title) in SECTIONS {
            let _ = write!(page, "\n| {number} {title} |");
            for cases in self.0.values() {
                let (passed, all) = cases.count(number);
                let _ = write!(page, " {passed}/{all} |");
            }
        }
        page += "\n\n";
        for (name, cases) in &self.0 {
            let _ = write!(page, "- {name} ({}):", cases.framework);
            let mut others = cases.outcomes.iter().filter(|(outcome, _)| *outcome != PASSED).peekable();
            if others.peek().is_none() {
                page += " all passed";
            }
            let others = others.map(|(outcome, cases)| format!(" {outcome} {}", cases.join(", ")));
            page += &others.collect::<Vec<_>>().join(";");
            page.push('\n');
        }
        page
    }
}

impl Cases {
    /// How many of a section passed, and how many it has.
    fn count(&self, section: &str) -> (usize, usize) {
        let of =
            |cases: &[String]| cases.iter().filter(|case| case.split('.').next() == Some(section)).count();
        let passed = self.outcomes.get(PASSED).map_or(0, |cases| of(cases));
        (passed, self.outcomes.values().map(|cases| of(cases)).sum())
    }
}

/// What cases are ordered by: 2.10 comes after 2.9.
fn numbers(case: &str) -> Vec<u32> {
    case.split('.').filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_passes_if_it_behaves_and_closes_well() {
        let about = About { contender: "a".into(), framework: "f".into(), version: "1".into(), workers: 1 };
        let case = |name: &str, behavior: &str, close: &str| {
            format!(r#""{name}":{{"behavior":"{behavior}","behaviorClose":"{close}","duration":1}}"#)
        };
        let cases = [
            case("2.10", "OK", "OK"),
            case("2.9", "OK", "INFORMATIONAL"),
            case("2.11", "OK", "FAILED"),
            case("6.4.1", "NON-STRICT", "OK"),
        ];
        let mut autobahn = Autobahn::default();
        autobahn
            .insert("a", &about, &format!(r#"{{"127.0.0.1:1":{{{}}}}}"#, cases.join(",")))
            .expect("a report");
        assert_eq!(autobahn.0["a"].outcomes[PASSED], ["2.9", "2.10"]);
        let page = autobahn.markdown();
        for expected in [
            "| | a |\n|---|---:|\n",
            "| 2 Pings and pongs | 2/3 |",
            "| 6 UTF-8 | 0/1 |",
            "- a (f 1): CLOSE FAILED 2.11; NON-STRICT 6.4.1\n",
        ] {
            assert!(page.contains(expected), "{expected} in {page}");
        }
        assert!(autobahn.insert("a", &about, "{}").is_ok() && autobahn.insert("a", &about, "[]").is_err());
    }
}
