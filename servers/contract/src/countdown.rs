use serde::Deserialize;

use crate::query::MAX_COUNT;
use crate::{Countdown, Refusal};

/// One step of a countdown, as JSON: the answer to a message on `WS /ws/countdown`.
pub(crate) fn step(text: &str) -> Result<String, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Step {
        count: u64,
    }
    // The parser takes an array of the members' values for the object, too.
    let is_object = text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{');
    match serde_json::from_str(text) {
        Ok(Step { count: count @ 1..=MAX_COUNT }) if is_object => {
            let next = Countdown { count: count - 1 };
            Ok(serde_json::to_string(&next).expect("a struct of a number is JSON"))
        }
        _ => Err(Refusal::NotCount),
    }
}
