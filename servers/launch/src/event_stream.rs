use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use contract::{EventStream, HEARTBEAT, Timing};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::select;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// When a subscriber is sent something so that its absence would be noticed.
#[derive(Debug)]
pub struct Heartbeat(Option<Interval>);

impl Heartbeat {
    /// Every `HEARTBEAT_MS` from now on, on tokio's clock.
    #[must_use]
    pub fn new(timing: Timing) -> Self {
        Self(timing.heartbeat().map(|period: Duration| {
            let mut interval = interval_at(Instant::now() + period, period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        }))
    }

    /// Ends when the next one is due; never, if there are none. Safe to cancel.
    pub async fn tick(&mut self) {
        match &mut self.0 {
            Some(interval) => _ = interval.tick().await,
            None => pending().await,
        }
    }
}

/// The body of `GET /sse`: blocks and heartbeats, until the subscriber lags.
pub fn event_stream<M>(stream: EventStream<M>, heartbeat: Heartbeat) -> impl Stream<Item = Bytes> {
    let EventStream { first, subscription } = stream;
    unfold((Some(first), subscription, heartbeat), async |(first, mut subscription, mut heartbeat)| {
        let block = match first {
            Some(first) => first,
            None => select! {
                biased;
                publication = subscription.next() => publication.ok()?,
                () = heartbeat.tick() => HEARTBEAT,
            },
        };
        Some((block, (None, subscription, heartbeat)))
    })
}
