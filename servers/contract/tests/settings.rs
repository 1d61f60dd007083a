//! The flags by which every contender is started.

use clap::Parser;
use contract::{Limits, Settings, Timing};

#[test]
fn every_setting_has_a_flag() {
    let flags = "contender --host ::1 --port 9101 --workers 2 --processes 3 --publication-bytes 10 --echo-bytes 20 --replay-window 30 --poll-bytes 40 \
        --poll-wait-ms 1 --retry-ms 2 --heartbeat-ms 3 --tcp-keepalive-s 4 --tcp-user-timeout-ms 5";
    let settings = Settings::try_parse_from(flags.split_whitespace()).expect("the flags are right");
    assert_eq!(settings.address().to_string(), "[::1]:9101");
    assert_eq!((settings.workers.get(), settings.processes.get()), (2, 3));
    let Limits { publication_bytes, echo_bytes, replay_window, poll_bytes } = settings.limits;
    assert_eq!((publication_bytes, echo_bytes, replay_window.get(), poll_bytes), (10, 20, 30, 40));
    let timing =
        Timing { poll_wait_ms: 1, retry_ms: 2, heartbeat_ms: 3, tcp_keepalive_s: 4, tcp_user_timeout_ms: 5 };
    assert_eq!(settings.timing, timing);
}

#[test]
fn the_limits_are_those_of_the_contract_unless_told_otherwise() {
    let Limits { publication_bytes, echo_bytes, replay_window, poll_bytes } = Limits::default();
    assert_eq!((publication_bytes, echo_bytes, replay_window.get()), (65_536, 1_048_576, 1024));
    assert_eq!(poll_bytes, 1_048_576);
    let Timing { poll_wait_ms, retry_ms, heartbeat_ms, tcp_keepalive_s, tcp_user_timeout_ms } =
        Timing::default();
    assert_eq!((poll_wait_ms, retry_ms, heartbeat_ms), (25_000, 1000, 15_000));
    assert_eq!((tcp_keepalive_s, tcp_user_timeout_ms), (60, 30_000));
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
