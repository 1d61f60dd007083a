//! The published JSON Schema, against the results that are committed.

mod support;

use std::path::Path;

use harness::compare::compare;
use harness::results::SCHEMA_FILE;
use serde_json::{Value, json};

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a file");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn schema() -> Value {
    read(&support::root().join("results").join(SCHEMA_FILE))
}

/// Checks values by a part of the schema: "" is a results file, the others are by their names.
fn validator(definition: &str) -> jsonschema::Validator {
    let mut schema = schema();
    if !definition.is_empty() {
        let parts = schema["$defs"].take();
        schema = json!({ "$ref": format!("#/$defs/{definition}"), "$defs": parts });
    }
    jsonschema::validator_for(&schema).expect("a valid schema")
}

/// All results that are committed.
fn results() -> Vec<Value> {
    let files = std::fs::read_dir(support::root().join("results")).expect("results");
    let files = files.flatten().map(|entry| entry.path());
    let is_run =
        |file: &Path| file.extension().is_some_and(|end| end == "json") && !file.ends_with(SCHEMA_FILE);
    let results: Vec<Value> = files.filter(|file| is_run(file)).map(|file| read(&file)).collect();
    assert!(!results.is_empty());
    results
}

#[test]
fn the_committed_results_are_of_the_published_schema() {
    let schema = validator("");
    for run in results() {
        let wrong: Vec<String> =
            schema.iter_errors(&run).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", run["name"]);
    }
}

#[test]
fn a_comparison_is_of_the_published_schema() {
    let schema = validator("Compared");
    let (one, mut other) = (support::old_results(), support::old_results());
    let alike = serde_json::to_value(compare(&one, &other)).expect("JSON");
    assert!(schema.is_valid(&alike), "{alike}");
    other.header.schema += 1;
    let unlike = serde_json::to_value(compare(&one, &other)).expect("JSON");
    assert!(schema.is_valid(&unlike), "{unlike}");
    assert_eq!(unlike["rows"][0]["finding"]["not-comparable"]["obstacle"], "other-schema");
    let mut wrong = unlike.clone();
    wrong["rows"][0]["finding"]["not-comparable"]["obstacle"] = json!("bad luck");
    assert!(!schema.is_valid(&wrong));
}

#[test]
fn what_is_not_of_the_schema_is_refused() {
    let (run, trial) = (validator(""), validator("Trial"));
    let good = results().remove(0);
    assert!(trial.is_valid(&good["trials"][0]));
    for (place, value) in [
        ("/seed", json!("seven")),
        ("/environment/cores", json!(-1)),
        ("/trials/0/round", json!(1.5)),
        ("/trials/0/load/workload", json!("ecko")),
        ("/trials/0/outcome", json!({ "guessed": {} })),
        ("/trials/0/outcome/measured/measurement/latency", json!([1, 2, 3])),
        ("/trials/0/outcome/measured/measurement/latency", json!("not base64!")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap_or_else(|| panic!("{place} is in the results")) = value;
        assert!(!run.is_valid(&bad), "{place}");
        if place.starts_with("/trials/0") {
            assert!(!trial.is_valid(&bad["trials"][0]), "{place}");
        }
    }
    for missing in ["schema", "trials", "environment"] {
        let mut bad = good.clone();
        bad.as_object_mut().expect("an object").remove(missing);
        assert!(!run.is_valid(&bad), "{missing}");
    }
}
