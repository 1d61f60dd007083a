use crate::plan::{Load, Rate};

/// Is a load one of those that are looked for?
pub(super) type IsIt = fn(&Load) -> bool;

/// A need, and what of a run speaks to it.
pub(super) struct Case {
    pub title: &'static str,
    /// In a word, and an opinion too.
    pub transport: &'static str,
    /// Without a figure: those are facts.
    pub opinion: &'static str,
    /// What is looked for, and how it is recognised; first what uses that transport.
    pub wanted: &'static [(&'static str, IsIt)],
}

/// How it is asked for: a load of one transport alone does not name it.
fn over(load: &Load) -> String {
    let only = if load.workload() == "xhr" { "xhr" } else { "websocket" };
    load.transport().unwrap_or_else(|| only.to_owned())
}

fn is(load: &Load, workload: &str, by: &str) -> bool {
    load.workload() == workload && over(load) == by
}

/// At the same rate for all, which a share of what each can do is not.
fn is_paced(load: &Load) -> bool {
    matches!(load.rate(), Some(Rate::PerSecond(_)))
}

const CHAT: IsIt = |load| is(load, "chat", "websocket");
const FAN_OUT_PACED: IsIt = |load| is(load, "broadcast", "websocket") && is_paced(load);
const FAN_OUT_WEBSOCKET: IsIt = |load| is(load, "broadcast", "websocket");
const FAN_OUT_SSE: IsIt = |load| is(load, "broadcast", "sse");
const LONG_POLL: IsIt = |load| is(load, "broadcast", "long-poll");
const FEED: IsIt = |load| load.workload() == "feed";
const XHR: IsIt = |load| over(load) == "xhr" && load.workload() != "feed";
const ECHO_CLOSED: IsIt = |load| is(load, "echo", "websocket") && load.rate().is_none();
const ECHO_OPEN: IsIt = |load| is(load, "echo", "websocket") && is_paced(load);
const HELD: IsIt = |load| load.workload() == "capacity";

pub(super) const CASES: &[Case] = &[
    Case {
        title: "Chat",
        transport: "WebSocket",
        opinion: "WebSocket: both sides speak at any time, in order, on one connection. People notice neither a tie nor what lies below a few \
                  milliseconds, but you pay for memory while they are silent: between those that tie, take the one whose routing, \
                  middleware and community you want to live with.",
        wanted: &[
            ("Clients that publish to one another", CHAT),
            ("Publications to subscribers at a fixed rate, over WebSocket", FAN_OUT_PACED),
            ("Connections held", HELD),
        ],
    },
    Case {
        title: "Notifications to many",
        transport: "event stream (SSE)",
        opinion: "Server-sent events: the browser connects again by itself and says where it was, and any HTTP server, cache rule or log \
                  understands them. WebSocket only if clients answer on the same connection.",
        wanted: &[
            ("Publications to subscribers over event streams", FAN_OUT_SSE),
            ("Publications to subscribers over WebSocket", FAN_OUT_WEBSOCKET),
        ],
    },
    Case {
        title: "Live feed",
        transport: "XHR, then an event stream",
        opinion: "One request for what there is, then an event stream for what comes: the first is cached, the second resumes by its last id.",
        wanted: &[
            ("The feed of items", FEED),
            ("Publications to subscribers over event streams", FAN_OUT_SSE),
        ],
    },
    Case {
        title: "Request and reply",
        transport: "XHR",
        opinion: "Plain HTTP on connections that are kept, until you measure that its headers hurt: retries, load balancing and tracing come \
                  with it. WebSocket where replies must keep their order or the server asks as well.",
        wanted: &[
            ("Requests by XHR", XHR),
            ("Messages and their replies over WebSocket, as fast as they go", ECHO_CLOSED),
        ],
    },
    Case {
        title: "Games and cursors",
        transport: "WebSocket",
        opinion: "WebSocket with TCP_NODELAY, small messages at a fixed rate, and an eye on the 99th percentile rather than the median: \
                  what players feel is the slowest frame. Where a lost update may be skipped, a transport over UDP serves better than any here.",
        wanted: &[("Messages and their replies at a fixed rate, over WebSocket", ECHO_OPEN)],
    },
    Case {
        title: "Behind a proxy I don't control",
        transport: "event stream, long polling to fall back on",
        opinion: "Server-sent events with long polling to fall back on: a proxy may buffer the first and cut idle connections, but it cannot tell the \
                  second from any slow request. WebSocket passes where TLS goes through to you.",
        wanted: &[
            ("Publications to subscribers over event streams", FAN_OUT_SSE),
            ("Publications by long polling", LONG_POLL),
            ("Requests by XHR", XHR),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opinions_carry_no_figures() {
        for Case { title, transport, opinion, .. } in CASES {
            // A percentile is a name.
            let text = format!("{transport}: {opinion}").replace("99th", "");
            assert!(!text.contains(|c: char| c.is_ascii_digit()), "{title}: {opinion}");
        }
    }
}
