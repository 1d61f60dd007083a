//! A page of one of Artillery's reports: its own loads scripts from the network, ours needs nothing besides itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Report {
    aggregate: Part,
    #[serde(default)]
    intermediate: Vec<Part>,
}

/// The whole, or a period of ten seconds of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    counters: BTreeMap<String, u64>,
    #[serde(default)]
    rates: BTreeMap<String, Value>,
    #[serde(default)]
    summaries: BTreeMap<String, BTreeMap<String, Value>>,
    #[serde(default)]
    first_metric_at: u64,
    #[serde(default)]
    last_metric_at: u64,
}

const STYLE: &str = "body{font:15px/1.4 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\
    table{border-collapse:collapse;margin:1em 0}td,th{border-bottom:1px solid #ccc;padding:.2em .8em;text-align:right}\
    td:first-child,th:first-child{text-align:left}";
const POINTS: [&str; 9] = ["count", "min", "mean", "median", "p75", "p90", "p95", "p99", "max"];

/// The page of a report of this title.
///
/// # Errors
/// It is none of Artillery's.
pub fn artillery_page(title: &str, text: &str) -> serde_json::Result<String> {
    let Report { aggregate, intermediate } = serde_json::from_str(text)?;
    let title = escape(title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n\
         <p>What Artillery reports, as it reports it. Which of it is used, and how, is in harness/METHOD.md.</p>\n"
    );
    part(&mut page, "All", &aggregate);
    for period in intermediate {
        part(&mut page, "A period", &period);
    }
    Ok(page)
}

fn part(page: &mut String, heading: &str, part: &Part) {
    let seconds = part.last_metric_at.saturating_sub(part.first_metric_at) as f64 / 1e3;
    let _ = writeln!(page, "<h2>{heading}: {seconds:.1} s from the first metric to the last</h2>");
    let counters = part.counters.iter().map(|(name, count)| (name, vec![count.to_string()]));
    table(page, &["counter", ""], counters);
    let rates = part.rates.iter().map(|(name, rate)| (name, vec![rate.to_string()]));
    table(page, &["rate", "/s"], rates);
    let heads: Vec<&str> = std::iter::once("histogram").chain(POINTS).collect();
    let point = |summary: &BTreeMap<String, Value>, name| {
        summary.get(name).map_or_else(String::new, Value::to_string)
    };
    let summaries = part
        .summaries
        .iter()
        .map(|(name, summary)| (name, POINTS.iter().map(|point_name| point(summary, *point_name)).collect()));
    table(page, &heads, summaries);
}

fn table<'a>(page: &mut String, heads: &[&str], rows: impl Iterator<Item = (&'a String, Vec<String>)>) {
    let cells = |tag: &str, cells: &[String]| -> String {
        cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect()
    };
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let _ = writeln!(page, "<table>\n<tr>{}</tr>", cells("th", &heads));
    for (name, values) in rows {
        let row = [std::slice::from_ref(name), values.as_slice()].concat();
        let _ = writeln!(page, "<tr>{}</tr>", cells("td", &row));
    }
    page.push_str("</table>\n");
}

/// Names come from servers' errors too.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECHO: &str = include_str!("../../tests/fixtures/tools/artillery-2.0.21-echo-server-gone.json");

    #[test]
    fn a_page_shows_every_counter_and_histogram_and_loads_nothing() {
        let page = artillery_page("a <run>", ECHO).expect("a page");
        for expected in
            ["<h1>a &lt;run&gt;</h1>", "asked.errors.the connection was closed", "<td>asked.latency_us</td>"]
        {
            assert!(page.contains(expected), "{expected} in {page}");
        }
        assert!(!page.contains("http") && !page.contains("src="), "{page}");
    }

    #[test]
    fn what_is_no_report_has_no_page() {
        for text in ["", "{}", "[1]", &ECHO[..ECHO.len() / 2]] {
            assert!(artillery_page("", text).is_err(), "{text}");
        }
    }
}
