//! The hub against a model that is too simple to be wrong: all that was ever published, and for each
//! subscriber how much of it it has had.

mod common;

use contract::Subscription;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Publish,
    Subscribe { after: Option<u64> },
    Next { subscriber: prop::sample::Index },
    Leave { subscriber: prop::sample::Index },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Publish),
        1 => prop::option::of(0..30_u64).prop_map(|after| Step::Subscribe { after }),
        4 => any::<prop::sample::Index>().prop_map(|subscriber| Step::Next { subscriber }),
        1 => any::<prop::sample::Index>().prop_map(|subscriber| Step::Leave { subscriber }),
    ]
}

struct Subscriber {
    subscription: Subscription<String>,
    /// Id of the last publication that it has had, or has asked not to have.
    last: u64,
    lagged: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_subscriber_gets_all_in_order_or_is_told_that_it_lags(
        window in 1..6_usize,
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let app = common::app(window);
        let hub = app.hub();
        let window = window as u64;
        let mut published = 0;
        let mut subscribers: Vec<Subscriber> = Vec::new();
        let mut lagged = 0;

        for step in steps {
            match step {
                Step::Publish => {
                    published += 1;
                    let receipt = hub.publish(None, &format!("text {published}"));
                    prop_assert_eq!(receipt.id, published);
                    prop_assert_eq!(receipt.subscribers, subscribers.len() as u64);
                }
                Step::Subscribe { after } => {
                    let subscription = hub.subscribe(after);
                    let kept_after = published.saturating_sub(window);
                    let last = after.unwrap_or(published).min(published).max(kept_after);
                    subscribers.push(Subscriber { subscription, last, lagged: false });
                }
                Step::Next { subscriber } if !subscribers.is_empty() => {
                    let subscriber = subscriber.get_mut(&mut subscribers);
                    let answer = subscriber.subscription.try_next();
                    if published - subscriber.last > window {
                        prop_assert_eq!(answer.map_err(|lagged| lagged.window as u64), Err(window));
                        lagged += u64::from(!std::mem::replace(&mut subscriber.lagged, true));
                    } else if subscriber.last == published {
                        prop_assert_eq!(answer, Ok(None));
                    } else {
                        subscriber.last += 1;
                        let id = subscriber.last;
                        prop_assert_eq!(answer, Ok(Some(format!(r#"{{"id":{id},"data":"text {id}"}}"#))));
                    }
                }
                Step::Leave { subscriber } if !subscribers.is_empty() => {
                    let subscriber = subscribers.swap_remove(subscriber.index(subscribers.len()));
                    lagged += u64::from(published - subscriber.last > window && !subscriber.lagged);
                }
                Step::Next { .. } | Step::Leave { .. } => {}
            }
            let stats = hub.stats();
            prop_assert_eq!(stats.publications, published);
            prop_assert_eq!(stats.subscribers.websocket, subscribers.len() as u64);
            prop_assert_eq!(stats.dropped.lagged, lagged);
        }
    }
}

#[test]
fn subscribers_are_counted_by_transport() {
    let app = common::app(1);
    let _websocket = app.hub().subscribe(None);
    let _sse = [0, 1].map(|_| app.sse(None, None).expect("there is nothing to refuse"));
    let long_poll = [0, 1, 2].map(|_| app.poll(None).expect("there is nothing to refuse"));

    let stats = app.hub().stats().subscribers;
    assert_eq!((stats.websocket, stats.sse, stats.long_poll), (1, 2, 3));
    assert_eq!(app.hub().publish(None, "to all").subscribers, 6);

    drop(long_poll);
    assert_eq!(app.hub().stats().subscribers.long_poll, 0);
}

#[test]
fn a_publication_is_there_when_the_event_loop_is_woken_for_it() {
    let app = common::app(1);
    let (woken, wakings) = std::sync::mpsc::channel();
    let subscription = std::sync::Mutex::new(app.hub().subscribe(None));
    app.hub().on_publication(move || {
        let message = subscription.lock().expect("nobody panicked").try_next();
        woken.send(message).expect("the test waits");
    });
    for id in 1..=3 {
        app.hub().publish(None, "x");
        assert_eq!(wakings.try_recv(), Ok(Ok(Some(format!(r#"{{"id":{id},"data":"x"}}"#)))));
    }
}
