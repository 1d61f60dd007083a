//! `WS /ws/broadcast?after=ID`: what was published before is sent first.

use std::thread;

use crate::check::ensure;
use crate::client::calls::{envelope, settled, stats};
use crate::client::http::Http;
use crate::client::websocket::{UPGRADE, WebSocket};
use crate::{Check, Failure, Target};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "a-replay-begins-right-after-the-id",
        standard: "contract, paths",
        run: begins_right_after,
    },
    Check {
        name: "a-replay-after-the-newest-id-is-empty",
        standard: "contract, paths",
        run: |target| from_now_on(target, 0),
    },
    Check {
        name: "a-replay-after-an-id-to-come-means-from-now-on",
        standard: "contract, paths",
        run: |target| {
            from_now_on(target, 1)?;
            from_now_on(target, 1_000_000)?;
            from_now_on(target, u64::MAX)
        },
    },
    Check {
        name: "a-replay-goes-back-as-far-as-the-window",
        standard: "contract, paths",
        run: as_far_as_the_window,
    },
    Check {
        name: "a-replay-keeps-event-names-and-escapes",
        standard: "contract, paths",
        run: keeps_event_names,
    },
    Check {
        name: "a-replay-meets-the-live-publications-without-a-gap",
        standard: "contract, paths",
        run: meets_the_live,
    },
    Check {
        name: "an-after-that-is-no-whole-number-is-refused-with-400",
        standard: "contract, refusals",
        run: no_whole_number,
    },
];

fn subscribe_after(target: &Target, id: u64) -> Result<WebSocket, Failure> {
    WebSocket::connect(target, &format!("/ws/broadcast?after={id}"))
}

/// Publishes texts `prefix 1` to `prefix count`; the id of the first.
fn publish(http: &mut Http, prefix: &str, count: u64) -> Result<u64, Failure> {
    let first = http.publish("", &format!("{prefix} 1"))?.id;
    for number in 2..=count {
        http.publish("", &format!("{prefix} {number}"))?;
    }
    Ok(first)
}

fn begins_right_after(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    let first = publish(&mut http, "kept", 10)?;
    for skipped in [0, 1, 4, 9] {
        let mut subscriber = subscribe_after(target, first - 1 + skipped)?;
        let circumstance = || format!("of a replay after {skipped} of 10");
        for number in skipped + 1..=10 {
            let replayed = subscriber.expect_text(&envelope(first - 1 + number, &format!("kept {number}")));
            replayed.map_err(|failure| failure.when(circumstance()))?;
        }
        subscriber.expect_quiet().map_err(|failure| failure.when(circumstance()))?;
    }
    let mut subscriber = subscribe_after(target, first + 7)?;
    let live = http.publish("", "live")?.id;
    subscriber.expect_text(&envelope(first + 8, "kept 9"))?;
    subscriber.expect_text(&envelope(first + 9, "kept 10"))?;
    subscriber.expect_text(&envelope(live, "live")).map_err(|failure| failure.when("after a replay"))
}

fn from_now_on(target: &Target, ahead: u64) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    let after = http.publish("", "before")?.id.saturating_add(ahead);
    let mut subscriber = subscribe_after(target, after)?;
    let circumstance = format!("after an upgrade with an id {ahead} above the newest");
    subscriber.expect_quiet().map_err(|failure| failure.when(&circumstance))?;
    let id = http.publish("", "now")?.id;
    subscriber.expect_text(&envelope(id, "now")).map_err(|failure| failure.when(&circumstance))
}

fn as_far_as_the_window(target: &Target) -> Result<(), Failure> {
    let window = target.limits.replay_window.get() as u64;
    let mut http = Http::connect(target)?;
    let first = publish(&mut http, "kept", window + 10)?;
    // The oldest kept, exactly; one that has just gone; one long gone.
    for after in [first + 9, first + 8, 0] {
        let mut subscriber = subscribe_after(target, after)?;
        for number in 11..=window + 10 {
            let replayed = subscriber.expect_text(&envelope(first - 1 + number, &format!("kept {number}")));
            replayed.map_err(|failure| failure.when(format!("of a replay after {after}")))?;
        }
        let quiet = subscriber.expect_quiet();
        quiet.map_err(|failure| failure.when(format!("after a whole window, replayed after {after}")))?;
    }
    Ok(())
}

fn keeps_event_names(target: &Target) -> Result<(), Failure> {
    let mut http = Http::connect(target)?;
    let id = http.publish("?event=named", "\"quoted\"\n")?.id;
    let publication = subscribe_after(target, id - 1)?.expect_publication(id)?;
    let same = publication.event.as_deref() == Some("named") && publication.data == "\"quoted\"\n";
    ensure(same, r#"the event "named" with the data "\"quoted\"\n""#, format!("{publication:?}"))
}

fn meets_the_live(target: &Target) -> Result<(), Failure> {
    const SUBSCRIBERS: u64 = 20;
    let publications = (target.limits.replay_window.get() as u64 / 2).min(500);
    let newest = stats(target)?.publications;
    let mut publisher = Http::connect(target)?;
    thread::scope(|scope| {
        let publisher = scope.spawn(move || publish(&mut publisher, "kept", publications));
        // They join while it publishes, each somewhere else in the stream.
        let joined = (0..SUBSCRIBERS).map(|_| subscribe_after(target, newest)).collect::<Result<Vec<_>, _>>();
        let panicked = || Failure::new("a check that runs to its end", "a panic of its publisher");
        publisher.join().map_err(|_| panicked())??;
        for (number, mut subscriber) in joined?.into_iter().enumerate() {
            for publication in 1..=publications {
                let expected = envelope(newest + publication, &format!("kept {publication}"));
                subscriber.expect_text(&expected).map_err(|failure| {
                    failure.when(format!("for subscriber {number} of {SUBSCRIBERS} that joined meanwhile"))
                })?;
            }
            subscriber
                .expect_quiet()
                .map_err(|failure| failure.when("after replay and live publications"))?;
        }
        Ok(())
    })
}

fn no_whole_number(target: &Target) -> Result<(), Failure> {
    settled(target)?;
    for after in ["abc", "", "-1", "1.5", "1e3", "0x10", "1%202", "%D9%A1"] {
        let path = format!("/ws/broadcast?after={after}");
        let answer = Http::connect(target)?.request("GET", &path, &UPGRADE, b"")?;
        answer.error(&[400]).map_err(|failure| failure.when(format!("to the upgrade of {path}")))?;
    }
    settled(target).map(|_| ()).map_err(|failure| failure.when("after refused upgrades"))
}
