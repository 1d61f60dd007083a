//! The whole journey on the real contenders: a tiny profile through the real command.

mod support;

use harness::results::{Measured, Outcome, Run};
use support::{BROADCAST, ECHO, Stage, stderr};

fn measured(run: &Run) -> impl Iterator<Item = &Measured> {
    run.trials.iter().map(|trial| match &trial.outcome {
        Outcome::Measured(measured) => measured.as_ref(),
        Outcome::Failed(failed) => panic!("a trial failed: {failed:?}"),
    })
}

/// What the kernel accounted to server and tool is there, and adds up.
fn assert_cost_is_recorded(figures: &Measured) {
    let connections = figures.measurement.load.workload.connections() as u64;
    for spent in [Some(figures.server), figures.tool].map(|spent| spent.expect("both were read")) {
        assert!(spent.cpu_us > 0.0 && spent.user_us >= 0.0 && spent.system_us() >= 0.0, "{spent:?}");
    }
    assert!(figures.server.resident_bytes > 0);
    // Each of the publications is waited for.
    let switches = figures.server.switches.expect("they were read");
    assert!(figures.measurement.delivery.is_none() || switches.voluntary > 0, "{switches:?}");
    let memory = figures.memory.expect("it was read");
    assert!(memory.before.resident_bytes > 0 && memory.idle.resident_bytes > 0, "{memory:?}");
    assert_eq!((memory.idle.sockets, memory.active.sockets), (Some(connections), Some(connections)));
    let shares = figures.core_shares().expect("they were read");
    assert!(shares.soft_interrupts >= 0.0 && shares.unaccounted < 1.0, "{shares:?}");
}

#[test]
fn a_tiny_profile_measures_all_contenders_and_leaves_tables() {
    let contenders = ["actix", "ceiling", "hyper", "tungstenite", "warp"];
    let stage = contenders.into_iter().fold(Stage::new(), Stage::with).profile(2, 0.2, &[ECHO, BROADCAST]);
    let output = stage.run(&["--seed", "7"]);
    let run = stage.results();
    assert!(run.is_complete() && run.header.verified, "{}", stderr(&output));
    // A test beside this one may keep a trial from being steady; nothing else may be wrong.
    assert_eq!(output.status.success(), !run.has_failures(), "{}", stderr(&output));
    assert_eq!(run.trials.len(), 5 * 2 * 2);
    for figures in measured(&run) {
        assert!(figures.measurement.errors.is_empty() && figures.measurement.messages > 0);
        assert!(figures.measurement.cpu_us > 0.0);
        assert_cost_is_recorded(figures);
        if let Some(delivery) = figures.measurement.delivery {
            assert_eq!(delivery.reach(), Some(1.0));
        }
    }
    let page = std::fs::read_to_string(stage.path("results").join(format!("{}.md", run.header.name)));
    let page = page.expect("a page beside the results");
    for expected in [
        "## echo, 8 × 64 B",
        "## broadcast, 8 subscribers × 64 B",
        "| Reach (%) |",
        "### Cost of echo, 8 × 64 B",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
    let columns = "| | actix | ceiling | hyper | tungstenite | warp |";
    assert_eq!(page.matches(columns).count(), 4, "{page}");
    assert!(stderr(&output).contains(&format!("{}.md", run.header.name)));
    stage.assert_nothing_left();
}

#[test]
fn results_can_be_reported_again_and_a_changed_table_is_noticed() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[ECHO]);
    stage.run(&["--skip-verify"]);
    let run = stage.results();
    assert!(!run.header.verified);
    let page = stage.path("results").join(format!("{}.md", run.header.name));
    let page_name = page.to_str().expect("a path in UTF-8");
    let fresh = stage.command(&["report", "--check", page_name]).status().expect("starts");
    assert!(fresh.success());
    std::fs::write(&page, "| a figure typed by hand |").expect("written");
    let stale = stage.command(&["report", "--check", page_name]).output().expect("starts");
    assert_eq!(stale.status.code(), Some(1));
    assert!(stderr(&stale).contains("differs from what"), "{}", stderr(&stale));
    assert!(stage.command(&["report", page_name]).status().expect("starts").success());
    assert!(std::fs::read_to_string(&page).expect("a page").contains("**the contract was not checked**"));
}

#[test]
fn rounds_are_added_until_the_figures_are_known_or_the_time_is_spent() {
    let stage = Stage::new().with("ceiling").profile(1, 0.1, &[ECHO]);
    stage.run(&["--skip-verify", "--until", "0.01", "--until-s", "3"]);
    let run = stage.results();
    assert!(run.is_complete());
    let rounds: Vec<u32> = run.trials.iter().map(|trial| trial.slot.round).collect();
    assert_eq!(rounds, (1..=rounds.len() as u32).collect::<Vec<_>>());
    let spent_s: f64 = run.trials.iter().skip(1).filter_map(|trial| trial.took_s).sum();
    assert!(rounds.len() > 1 && spent_s >= 3.0, "{spent_s} s in {rounds:?}");
    let page = std::fs::read_to_string(stage.path("results").join(format!("{}.md", run.header.name)));
    let page = page.expect("a page");
    assert!(page.contains("Rounds until ±0.01 %") && page.contains("the 3 s for them were spent"), "{page}");
}
