//! The core of the hub under loom, which tries all orders in which threads can meet: `src/ring.rs` itself, compiled a second
//! time on loom's primitives.

#![allow(dead_code, reason = "the model asks for a part of the core")]

mod sync;

#[path = "../src/ring.rs"]
mod ring;

use std::sync::Arc;

use loom::future::block_on;
use loom::thread::spawn;
use ring::{Ring, Transport};

/// Two context switches of a thread that could go on show every race known to this code, in seconds.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

/// Every subscriber gets all publications after it came, once and in order, and is woken for each.
#[test]
fn who_waits_gets_every_publication() {
    check(|| {
        let ring = Arc::new(Ring::new(2));
        let mut place = Ring::subscribe(&ring, Transport::WebSocket, None);
        let publisher = spawn(move || {
            ring.publish(|id| id);
            ring.publish(|id| id);
        });
        for id in 1..=2 {
            assert_eq!(block_on(place.next(|id| *id)), Ok(id));
        }
        publisher.join().unwrap();
    });
}

/// A receipt counts exactly those that the publication goes to.
#[test]
fn who_is_counted_gets_it() {
    check(|| {
        let ring = Arc::new(Ring::new(2));
        let other = Arc::clone(&ring);
        let publisher = spawn(move || other.publish(|id| id).1);
        let mut place = Ring::subscribe(&ring, Transport::WebSocket, None);
        let counted = publisher.join().unwrap();
        let got = place.try_next(|id| *id).unwrap();
        assert_eq!(got.is_some(), counted == 1);
    });
}

/// Two publishers at once: each id once, and a subscriber sees them in order, or is told that it lags.
#[test]
fn publishers_do_not_mix() {
    check(|| {
        let ring = Arc::new(Ring::new(1));
        let mut place = Ring::subscribe(&ring, Transport::WebSocket, None);
        let other = Arc::clone(&ring);
        let publisher = spawn(move || other.publish(|id| id).0);
        let mut ids = [ring.publish(|id| id).0, 0];
        let first = place.try_next(|id| *id);
        ids[1] = publisher.join().unwrap();
        ids.sort_unstable();
        assert_eq!(ids, [1, 2]);
        match first {
            Ok(Some(1)) => assert_eq!(place.try_next(|id| *id), Ok(Some(2))),
            Ok(other) => panic!("{other:?}, and one was published before"),
            Err(_) => assert_eq!(ring.lagged(), 1),
        }
    });
}

/// A send that blocks is given up as soon as the subscriber lags, and counted once.
#[test]
fn a_blocked_send_ends_with_the_lag() {
    check(|| {
        let ring = Arc::new(Ring::new(1));
        let mut place = Ring::subscribe(&ring, Transport::WebSocket, None);
        let other = Arc::clone(&ring);
        let publisher = spawn(move || {
            other.publish(|id| id);
            other.publish(|id| id);
        });
        assert!(block_on(place.unless_lagged(std::future::pending::<()>())).is_err());
        publisher.join().unwrap();
        drop(place);
        assert_eq!((ring.lagged(), ring.subscribers(Transport::WebSocket)), (1, 0));
    });
}
