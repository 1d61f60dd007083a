//! The paths of the contract as far as they are plain HTTP.

use contract::{About, Countdown, Stats};

use crate::check::ensure;
use crate::client::http::Http;
use crate::client::websocket::UPGRADE;
use crate::{Check, Failure, PATHS, Target};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "root-names-contender-framework-version-and-workers",
        standard: "contract, paths",
        run: root_names_the_contender,
    },
    Check {
        name: "stats-have-the-shape-of-the-contract",
        standard: "contract, paths",
        run: stats_have_shape,
    },
    Check { name: "xhr-counts-down", standard: "contract, paths", run: xhr_counts_down },
    Check { name: "xhr-refuses-what-is-no-count", standard: "contract, paths", run: xhr_refuses },
    Check { name: "other-paths-are-not-found", standard: "contract, paths", run: other_paths_are_not_found },
    Check {
        name: "other-methods-are-not-allowed",
        standard: "contract, paths",
        run: other_methods_are_not_allowed,
    },
    Check {
        name: "connections-are-kept-for-further-requests",
        standard: "RFC 9112, 9.3",
        run: connections_are_kept,
    },
    Check {
        name: "requests-in-one-packet-are-answered-in-order",
        standard: "RFC 9112, 9.3.2",
        run: pipelined_requests,
    },
    Check {
        name: "a-request-byte-by-byte-is-answered",
        standard: "RFC 9112, 2.2",
        run: request_byte_by_byte,
    },
    Check { name: "connection-close-is-obeyed", standard: "RFC 9112, 9.6", run: close_is_obeyed },
    Check { name: "answers-are-not-compressed", standard: "contract, fairness", run: not_compressed },
];

fn root_names_the_contender(target: &Target) -> Result<(), Failure> {
    for path in ["/", "/?a=b"] {
        let about: About = Http::connect(target)?.get(path)?.json(200)?;
        let complete =
            ![&about.contender, &about.framework, &about.version].iter().any(|text| text.is_empty());
        ensure(complete, "a name, a framework and its version", format!("{about:?}"))?;
        ensure(about.workers > 0, "at least one worker", format!("{about:?}"))?;
    }
    Ok(())
}

fn stats_have_shape(target: &Target) -> Result<(), Failure> {
    for path in ["/stats", "/stats?a=b"] {
        Http::connect(target)?.get(path)?.json::<Stats>(200)?;
    }
    Ok(())
}

fn xhr_counts_down(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    for count in [1, 2, 10, 1000, 1 << 32, 1 << 53] {
        let path = format!("/xhr?count={count}");
        let answered: Countdown = http.get(&path)?.json(200)?;
        ensure(answered.count == count - 1, format!("{} to GET {path}", count - 1), format!("{answered:?}"))?;
    }
    Ok(())
}

fn xhr_refuses(target: &Target) -> Result<(), Failure> {
    for query in [
        "",
        "?",
        "?count",
        "?count=",
        "?count=0",
        "?count=-1",
        "?count=1.5",
        "?count=ten",
        "?Count=5",
        "?count=9007199254740993",
    ] {
        let path = format!("/xhr{query}");
        let answer = Http::connect(target)?.get(&path)?;
        answer.error(&[400]).map_err(|failure| failure.when(format!("to GET {path}")))?;
    }
    Ok(())
}

fn other_paths_are_not_found(target: &Target) -> Result<(), Failure> {
    const PATHS: [&str; 10] = [
        "/nothing",
        "/Stats",
        "/stats/",
        "/stats/more",
        "/publish/more",
        "/ws",
        "/ws/",
        "/ws/echo/",
        "/ws/broadcast/more",
        "/index.html?path=/stats",
    ];
    for path in PATHS {
        let answer = Http::connect(target)?.get(path)?;
        answer.error(&[404]).map_err(|failure| failure.when(format!("to GET {path}")))?;
    }
    for path in &target.not_served {
        // As a path of either kind: what is served would be left unproved.
        let answer = Http::connect(target)?.request_head("GET", path, &UPGRADE)?;
        let expected = format!("an error to the upgrade of {path}, which is said not to be served");
        ensure(answer.status >= 400, expected, answer.status.to_string())?;
    }
    let answer = Http::connect(target)?.post("/nothing", b"body")?;
    answer.error(&[404]).map_err(|failure| failure.when("to POST /nothing"))
}

fn other_methods_are_not_allowed(target: &Target) -> Result<(), Failure> {
    let paths = ["/", "/stats", "/xhr", "/publish", "/ws/echo", "/ws/broadcast"].iter().chain(PATHS);
    for path in paths.copied().filter(|path| target.serves(path)) {
        let other = if path == "/publish" { "GET" } else { "POST" };
        for method in [other, "PUT", "DELETE", "PATCH"] {
            // The length is given, lest a server that reads bodies waits for one.
            let answer = Http::connect(target)?.request(method, path, &[("Content-Length", "0")], b"")?;
            answer.error(&[405]).map_err(|failure| failure.when(format!("to {method} {path}")))?;
        }
    }
    Ok(())
}

fn connections_are_kept(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    for round in 1..=20 {
        let mut requests = || -> Result<(), Failure> {
            http.get("/")?.json::<About>(200)?;
            http.publish("", "kept")?;
            http.stats().map(|_| ())
        };
        requests().map_err(|failure| failure.when(format!("in round {round} on one connection")))?;
    }
    Ok(())
}

fn pipelined_requests(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    let requests = [
        http.head("GET", "/", &[]),
        http.head("GET", "/stats", &[]),
        http.head("GET", "/", &[]),
        http.head("GET", "/stats", &[]),
    ];
    // Its answers tell whether it was taken.
    let _ = http.socket.send(&requests.concat());
    for _ in 0..2 {
        let mut pair = || -> Result<(), Failure> {
            http.answer()?.json::<About>(200)?;
            http.answer()?.json::<Stats>(200).map(|_| ())
        };
        pair().map_err(|failure| failure.when("to GET / and GET /stats, twice, in one packet"))?;
    }
    Ok(())
}

fn request_byte_by_byte(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    let mut request = http.head("POST", "/publish", &[("Content-Length", "5")]);
    request.extend_from_slice(b"slow!");
    http.socket.send_byte_by_byte(&request).map_err(|interruption| {
        interruption.awaiting("a server that reads a request of which each byte comes on its own")
    })?;
    http.answer()?.json::<contract::Receipt>(202).map(|_| ())
}

fn close_is_obeyed(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    http.request("GET", "/", &[("Connection", "close")], b"")?.json::<About>(200)?;
    http.socket.expect_end().map_err(|failure| failure.when("after the answer to Connection: close"))
}

fn not_compressed(target: &Target) -> Result<(), Failure> {
    for path in ["/", "/stats", "/nothing"] {
        let fields = [("Accept-Encoding", "gzip, deflate, br, zstd")];
        let answer = Http::connect(target)?.request("GET", path, &fields, b"")?;
        let coding = answer.field("content-encoding").unwrap_or("none");
        ensure(
            coding == "none" || coding == "identity",
            format!("no Content-Encoding to GET {path}"),
            coding,
        )?;
    }
    Ok(())
}
