//! The flags by which every contender is started.

use clap::Parser;
use contract::{Limits, Settings};

#[test]
fn every_setting_has_a_flag() {
    let flags = "contender --host ::1 --port 9101 --workers 2 --processes 3 --publication-bytes 10 --echo-bytes 20 --replay-window 30";
    let settings = Settings::try_parse_from(flags.split(' ')).expect("the flags are right");
    assert_eq!(settings.address().to_string(), "[::1]:9101");
    assert_eq!((settings.workers.get(), settings.processes.get()), (2, 3));
    let Limits { publication_bytes, echo_bytes, replay_window } = settings.limits;
    assert_eq!((publication_bytes, echo_bytes, replay_window.get()), (10, 20, 30));
}

#[test]
fn the_limits_are_those_of_the_contract_unless_told_otherwise() {
    let Limits { publication_bytes, echo_bytes, replay_window } = Limits::default();
    assert_eq!((publication_bytes, echo_bytes, replay_window.get()), (65_536, 1_048_576, 1024));
}

#[test]
fn a_server_without_workers_or_window_is_refused() {
    for flags in [
        "contender --workers 0",
        "contender --processes 0",
        "contender --replay-window 0",
        "contender --port 65536",
    ] {
        Settings::try_parse_from(flags.split(' ')).expect_err(flags);
    }
}
