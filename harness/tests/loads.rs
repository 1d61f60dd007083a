//! Every kind of load through the real command, each on a contender or two.

mod support;

use harness::plan::Load;
use harness::results::{Measured, Outcome, Run};
use harness::trial::{Doubt, SearchEnd, Verdict};
use loadgen::{Stop, Workload};
use support::{Stage, stderr};

/// Runs a tiny profile of these loads; its results, and the page of them.
fn run(contenders: &[&str], seconds: f64, loads: &[&str]) -> (Run, String) {
    let stage = contenders.iter().fold(Stage::new(), |stage, name| stage.with(name));
    let stage = stage.profile(1, seconds, loads);
    let output = stage.run(&["--skip-verify", "--seed", "7"]);
    let run = stage.results();
    assert!(run.is_complete(), "{}", stderr(&output));
    let page = std::fs::read_to_string(stage.path("results").join(format!("{}.md", run.header.name)));
    stage.assert_nothing_left();
    (run, page.expect("a page beside the results"))
}

fn measured<'a>(run: &'a Run) -> Vec<(&'a Load, &'a Measured)> {
    let outcome = |outcome: &'a Outcome| match outcome {
        Outcome::Measured(measured) => measured.as_ref(),
        Outcome::Failed(failed) => panic!("a trial failed: {failed:?}"),
    };
    run.trials.iter().map(|trial| (&trial.slot.load, outcome(&trial.outcome))).collect()
}

#[test]
fn an_open_loop_offers_its_rate_at_the_times_of_the_runs_seed_and_shows_its_seconds() {
    let echo = "workload = \"echo\"\nconnections = 4\npayload_bytes = 64\nrate = 200\narrivals = \"poisson\"\nspin = true";
    let broadcast = "workload = \"broadcast\"\nsubscribers = 4\npayload_bytes = 64\nrate = 50";
    let (run, page) = run(&["ceiling"], 2.0, &[echo, broadcast]);
    for (load, measured) in measured(&run) {
        let measurement = &measured.measurement;
        let arrivals = measurement.load.workload.arrivals().expect("an open loop");
        match load {
            Load::Echo { .. } => {
                assert_eq!((arrivals.rate.map(u32::from), arrivals.seed), (Some(200), 8), "seed 7, round 1");
                assert!(measurement.load.spin && measurement.service.is_some());
            }
            _ => assert_eq!((arrivals.rate.map(u32::from), measurement.sent), (Some(50), 100)),
        }
        assert!(measurement.lateness.is_some() && measurement.series.len() == 2);
        assert!(!measured.doubts.iter().any(|doubt| matches!(doubt, Doubt::ToolLimited { .. })));
    }
    for expected in [
        "## echo, 4 × 64 B, 200/s, Poisson, spinning",
        "| Rate offered (messages/s) |",
        "| Service time p99 (ms) |",
        "| Lateness of sending median (ms) |",
        "| Latency p99 by second (ms) |",
        "| Rate offered (publications/s) |",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    // A ceiling whose only trial does not count has no share.
    assert!(page.contains("| Share of the ceiling, by CPU (%) |") || page.contains("invalid"), "{page}");
}

#[test]
fn a_share_is_taken_of_what_the_same_server_just_did_in_closed_loop() {
    let echo = "workload = \"echo\"\nconnections = 4\npayload_bytes = 64\nrate = \"50%\"";
    let broadcast = "workload = \"broadcast\"\nsubscribers = 4\npayload_bytes = 64\nrate = \"20%\"";
    let (run, page) = run(&["ceiling"], 0.5, &[echo, broadcast]);
    for (load, measured) in measured(&run) {
        let calibration = measured.calibration.as_ref().expect("a calibration");
        let share = if matches!(load, Load::Echo { .. }) { 0.5 } else { 0.2 };
        let offered = f64::from(calibration.offered_per_s.get());
        assert!((offered - calibration.capacity_per_s * share).abs() <= 0.5, "{calibration:?}");
        let arrivals = measured.measurement.load.workload.arrivals().expect("an open loop");
        assert_eq!(arrivals.rate, Some(calibration.offered_per_s));
    }
    assert!(page.contains("| Capacity, closed loop (/s) |"), "{page}");
    assert!(page.contains("## echo, 4 × 64 B, at 50 % of capacity"), "{page}");
}

#[test]
fn a_broadcast_reaches_its_subscribers_by_each_transport_on_every_contender() {
    let contenders = ["actix", "axum", "ceiling", "hyper", "tungstenite", "warp"];
    let load = |transport| {
        format!(
            "workload = \"broadcast\"\nsubscribers = 6\ntransport = {transport:?}\npayload_bytes = 64\nrate = 50"
        )
    };
    let loads = ["sse", "long-poll", "mixed"].map(load);
    let (run, page) = run(&contenders, 0.3, &loads.each_ref().map(String::as_str));
    assert_eq!(run.trials.len(), contenders.len() * loads.len());
    for (load, measured) in measured(&run) {
        let measurement = &measured.measurement;
        assert!(measurement.errors.is_empty(), "{load}: {:?}", measurement.errors);
        let delivery = measurement.delivery.expect("a broadcast");
        assert_eq!((delivery.publications, delivery.received), (15, 15 * 6), "{load}");
    }
    for transport in ["sse", "long-poll", "mixed"] {
        assert!(page.contains(&format!("## broadcast, 6 subscribers × 64 B, {transport}, 50/s")), "{page}");
    }
}

#[test]
fn a_chat_reaches_everyone_and_the_feed_comes_whole_on_every_contender() {
    let contenders = ["actix", "axum", "ceiling", "hyper", "tungstenite", "warp"];
    let chat = |transport| {
        format!("workload = \"chat\"\nclients = 4\ntransport = {transport:?}\npayload_bytes = 64\nrate = 50")
    };
    let feed = |transport| format!("workload = \"feed\"\nclients = 2\ntransport = {transport:?}");
    let loads = [chat("websocket"), chat("mixed"), feed("xhr"), feed("sse"), feed("websocket")];
    let (run, page) = run(&contenders, 0.3, &loads.each_ref().map(String::as_str));
    assert_eq!(run.trials.len(), contenders.len() * loads.len());
    for (load, measured) in measured(&run) {
        let measurement = &measured.measurement;
        assert!(measurement.errors.is_empty(), "{load}: {:?}", measurement.errors);
        match (measurement.delivery, &measurement.first_item) {
            (Some(delivery), None) => assert_eq!((delivery.publications, delivery.received), (15, 15 * 4)),
            (None, Some(first)) => assert!(first.count() > 0 && first.count() == measurement.latency.count()),
            other => panic!("{load}: {other:?}"),
        }
    }
    for expected in
        ["## chat, 4 clients × 64 B, mixed, 50/s", "## feed, 2 clients, sse", "| First item median (ms)"]
    {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[test]
fn requests_by_xhr_are_measured_on_every_contender() {
    let contenders = ["actix", "ceiling", "hyper", "tungstenite", "warp"];
    let (run, page) = run(&contenders, 0.2, &["workload = \"xhr\"\nconnections = 4"]);
    for (_, measured) in measured(&run) {
        assert!(measured.measurement.errors.is_empty() && measured.measurement.messages > 0);
    }
    assert!(page.contains("## xhr, 4 connections") && page.contains("| RPS (messages/s)"), "{page}");
}

#[test]
fn countdowns_and_connections_are_measured_over_both_transports_on_every_contender() {
    let contenders = ["actix", "axum", "ceiling", "hyper", "tungstenite", "tungstenite-tuned", "warp"];
    let loads = ["xhr", "websocket"].map(|transport| {
        [
            format!("workload = \"countdown\"\nclients = 2\nfrom = 5\ntransport = \"{transport}\""),
            format!("workload = \"connect\"\nconnections = 3\nmessages = 2\ntransport = \"{transport}\""),
            format!("workload = \"connect\"\nconnections = 20\nstorm = true\ntransport = \"{transport}\""),
        ]
    });
    let (run, page) =
        run(&contenders, 0.2, &loads.as_flattened().iter().map(String::as_str).collect::<Vec<_>>());
    for (load, measured) in measured(&run) {
        let measurement = &measured.measurement;
        let connections = &measurement.connections;
        assert!(
            measurement.errors.is_empty() && measurement.messages > 0,
            "{load}: {:?}",
            measurement.errors
        );
        assert_eq!((connections.asked, connections.lost), (connections.established, 0), "{load}");
        assert!(measurement.wire.is_some_and(|wire| wire.messages >= measurement.messages), "{load}");
        match load {
            Load::Countdown { .. } => {
                assert!(measurement.total.as_ref().is_some_and(|total| total.count() > 0));
            }
            Load::Connect { storm: true, .. } => {
                assert!(connections.asked == 20 && measurement.all_open_ns.is_some());
            }
            _ => assert!(connections.asked > 6 && measurement.connect.count() > 0, "{load}: {connections:?}"),
        }
    }
    for expected in [
        "## countdown from 5, 2 clients, xhr",
        "## connect, 3 at a time × 2 messages, websocket",
        "## connect, storm of 20, xhr",
        "| Whole countdown median (ms)",
        "| Connections/s",
        "| Time to open p99 (ms)",
        "| Server CPU (µs/connection)",
        "| All open after (ms)",
        "| On the wire, to the server (B/message) |",
        "| Segments to open (per connection) |",
        "## Transports side by side",
        "### Transports for connect, 3 at a time × 2 messages",
        "| On the wire, both ways (B/message)",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[test]
fn a_capacity_tells_what_was_held_by_how_many_processes_and_what_stopped_it() {
    let one = "workload = \"capacity\"\nstep = 20\nmax = 50\nlimit_ms = 60000";
    let several = format!("{one}\nprocesses = 3");
    let (run, page) = run(&["ceiling", "actix"], 0.2, &[one, &several]);
    for (_, measured) in measured(&run) {
        let capacity = measured.measurement.capacity.as_ref().expect("a capacity");
        assert_eq!((capacity.stopped, capacity.held, capacity.steps.len()), (Stop::Reached, 50, 3));
        assert!(capacity.steps.iter().all(|step| step.memory.server_bytes.is_some()));
        let Workload::Capacity(plan) = &measured.measurement.load.workload else { panic!("a capacity") };
        assert_eq!(plan.server_pids.len() % 2, 1, "one, or three: {plan:?}");
        assert!(measured.doubts.contains(&Doubt::ClimbCutOff { stopped: Stop::Reached }));
    }
    for expected in ["| Connections held", "3 server processes", "| Stopped by | all that was asked for |"] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[test]
fn a_search_records_every_step_to_the_highest_that_was_kept() {
    let echo = "workload = \"echo-limit\"\nconnections = 4\npayload_bytes = 64";
    let broadcast = "workload = \"broadcast-limit\"\nrate = 20\npayload_bytes = 64\nuntil_p99_ms = 100";
    let (run, page) = run(&["ceiling"], 0.1, &[echo, broadcast]);
    for (_, measured) in measured(&run) {
        let search = measured.search.as_ref().expect("a search");
        assert!(
            matches!(search.ended, SearchEnd::Found | SearchEnd::Tool | SearchEnd::Highest),
            "{search:?}"
        );
        let kept = search.steps.iter().filter(|step| step.verdict == Verdict::Kept);
        assert_eq!(search.kept, kept.map(|step| step.level).max());
        assert!(search.steps.len() > 1, "{search:?}");
    }
    assert!(page.contains("| Limit (messages/s) |") && page.contains("| Limit (subscribers) |"), "{page}");
}

#[test]
fn a_contender_that_is_one_process_whatever_it_is_told_is_not_measured_as_three() {
    let ceiling = std::path::Path::new(env!("CARGO_BIN_EXE_harness")).with_file_name("ceiling-server");
    let run = format!("PROCESSES=1 exec {}", ceiling.display());
    let manifest = format!(
        "name = \"ceiling\"\ntitle = \"\"\nlanguage = \"sh\"\nrun = [\"sh\", \"-c\", {run:?}]\nserves = [\"capacity\"]\n"
    );
    let load = "workload = \"capacity\"\nstep = 20\nmax = 50\nprocesses = 3";
    let stage = Stage::new().with("hyper").manifest("ceiling", &manifest).profile(1, 0.2, &[load]);
    assert_eq!(stage.run(&["--skip-verify"]).status.code(), Some(1));
    let results = stage.results();
    let failures = results.trials.iter().filter_map(|trial| match &trial.outcome {
        Outcome::Failed(failed) => Some(failed.failure.to_string()),
        Outcome::Measured(_) => None,
    });
    let failures: Vec<String> = failures.collect();
    assert!(matches!(failures.as_slice(), [one] if one.contains("1 of 3 processes listen")), "{failures:?}");
}
