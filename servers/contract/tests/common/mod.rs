use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;

use contract::{App, Limits, Settings, Timing};

/// An app whose messages are the JSON itself. It keeps `window` publications.
pub fn app(window: usize) -> App<String> {
    let positive = |number| NonZeroUsize::new(number).expect("the tests ask for more than nothing");
    let limits =
        Limits { publication_bytes: 100, echo_bytes: 1000, replay_window: positive(window), poll_bytes: 60 };
    let (host, processes) = (IpAddr::V4(Ipv4Addr::LOCALHOST), NonZeroUsize::MIN);
    let settings =
        Settings { host, port: 0, workers: positive(3), processes, limits, timing: Timing::default() };
    App::new("tested", ("none", "1.2.3"), &settings, |json| {
        String::from_utf8(json.into()).expect("JSON is UTF-8")
    })
}
