//! The hub among several threads: what a subscriber waits for comes, and what holds it up is given up.

mod common;

use std::future::{Future, pending};
use std::iter::repeat_with;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::time::{Duration, Instant};

use contract::Lagged;
use tokio::sync::oneshot;
use tokio::task::{spawn, spawn_blocking, yield_now};

/// No test takes longer than a second or two, unless it hangs.
const HUNG: Duration = Duration::from_secs(60);

async fn unless_hung<F: Future>(test: F) -> F::Output {
    tokio::time::timeout(HUNG, test).await.expect("the test hangs")
}

/// The publisher spins until the last publication has arrived and makes the next one at that very moment, when
/// the subscriber has seen that there is nothing more and is about to wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_up_is_lost() {
    const PUBLICATIONS: u64 = 50_000;
    let app = common::app(1);
    let mut subscription = app.hub().subscribe(None);
    let arrived = Arc::new(AtomicU64::new(0));
    let arriving = Arc::clone(&arrived);
    let subscriber = spawn(async move {
        for id in 1..=PUBLICATIONS {
            let message = subscription.next().await;
            assert_eq!(message, Ok(format!(r#"{{"id":{id},"data":"x"}}"#)));
            arriving.store(id, Release);
        }
    });
    let publisher = spawn_blocking(move || {
        let deadline = Instant::now() + HUNG;
        for id in 1..=PUBLICATIONS {
            app.hub().publish(None, "x");
            while arrived.load(Acquire) < id {
                assert!(Instant::now() < deadline, "publication {id} does not arrive");
                std::thread::yield_now();
            }
        }
    });
    publisher.await.expect("everything arrives");
    subscriber.await.expect("nothing else arrives");
}

/// Whoever subscribes while others publish gets exactly the publications that were counted for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_counts_those_that_the_publication_goes_to() {
    const PUBLICATIONS: u64 = 50_000;
    let app = common::app(PUBLICATIONS as usize);
    let hub = Arc::clone(app.hub());
    let publishing =
        spawn_blocking(move || (0..PUBLICATIONS).map(|_| hub.publish(None, "x").subscribers).sum::<u64>());
    let hub = Arc::clone(app.hub());
    let subscribing =
        spawn_blocking(move || repeat_with(|| hub.subscribe(None)).take(50_000).collect::<Vec<_>>());
    let counted = publishing.await.expect("publishing does not panic");

    // All later ones follow the first: the model in `hub.rs` has that.
    let mut received = 0;
    for mut subscription in subscribing.await.expect("subscribing does not panic") {
        if let Some(first) = subscription.try_next().expect("the window holds all") {
            let first: serde_json::Value = serde_json::from_str(&first).expect("it is JSON");
            received += PUBLICATIONS + 1 - first["id"].as_u64().expect("ids are numbers");
        }
    }
    assert_eq!(received, counted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_send_is_given_up_when_the_subscriber_lags() {
    let app = common::app(3);
    let mut subscription = app.hub().subscribe(None);
    let blocked = spawn(async move { subscription.unless_lagged(pending::<()>()).await });
    for _ in 0..4 {
        app.hub().publish(None, "x");
    }
    let ended = unless_hung(blocked).await.expect("the send does not panic");
    assert_eq!(ended, Err(Lagged { window: 3 }));
    let stats = app.hub().stats();
    assert_eq!((stats.dropped.lagged, stats.subscribers.websocket), (1, 0));
}

#[tokio::test]
async fn a_send_may_take_as_long_as_the_window_lasts() {
    let app = common::app(3);
    let mut subscription = app.hub().subscribe(None);
    let (finish, finished) = oneshot::channel();
    let slow = spawn(async move {
        let sent = subscription.unless_lagged(finished).await;
        (sent, subscription.next().await)
    });
    for _ in 0..3 {
        app.hub().publish(None, "x");
        // There is one thread: the other task runs now, and has seen the publication before the next line.
        yield_now().await;
    }
    finish.send("sent").expect("the send has not been given up");
    let (sent, next) = unless_hung(slow).await.expect("the send does not panic");
    assert_eq!(sent, Ok(Ok("sent")));
    assert_eq!(next.as_deref(), Ok(r#"{"id":1,"data":"x"}"#));
    assert_eq!(app.hub().stats().dropped.lagged, 0);
}

/// `select!` drops `next` whenever another branch comes first.
#[tokio::test]
async fn a_cancelled_wait_loses_nothing() {
    let app = common::app(3);
    let mut subscription = app.hub().subscribe(None);
    for id in 1..=3 {
        let cancelled = tokio::select! {
            biased;
            _ = subscription.next() => false,
            () = yield_now() => true,
        };
        assert!(cancelled, "nothing is published yet");
        app.hub().publish(None, "x");
        let message = unless_hung(subscription.next()).await;
        assert_eq!(message, Ok(format!(r#"{{"id":{id},"data":"x"}}"#)));
    }
}
