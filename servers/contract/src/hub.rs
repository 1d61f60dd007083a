use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::task::Poll;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::answer::Dropped;
use crate::{Receipt, Refusal, Stats};

/// Fans publications out: one ring that all subscribers read, each with a cursor of its own.
///
/// The ring is the replay window, and how far a subscriber may fall behind: a slow one costs a number,
/// not a queue. A publication is encoded once, when it is made.
pub struct Hub<M> {
    ring: RwLock<Ring<M>>,
    /// Bumped after each publication; wakes whoever waits.
    news: watch::Sender<()>,
    wake: RwLock<Vec<Box<dyn Fn() + Send + Sync>>>,
    encode: fn(String) -> M,
    counts: [AtomicU64; 3],
    lagged: AtomicU64,
}

struct Ring<M> {
    window: usize,
    /// Id of the newest publication; 0 before the first.
    newest: u64,
    /// The newest `window` publications, the newest last.
    messages: VecDeque<M>,
}

/// By what a subscriber listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `WS /ws/broadcast`.
    WebSocket,
    /// `GET /sse`.
    Sse,
    /// `GET /poll`.
    LongPoll,
}

/// How many subscribers there are, by transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribers {
    /// `WS /ws/broadcast`.
    pub websocket: u64,
    /// `GET /sse`.
    pub sse: u64,
    /// `GET /poll`.
    pub long_poll: u64,
}

/// A publication as it goes over the wire.
#[derive(Serialize)]
struct Envelope<'a> {
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    data: &'a str,
}

/// The subscriber fell more than the replay window behind and must be closed. It has been counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lagged {
    /// The replay window.
    pub window: usize,
}

impl From<Lagged> for Refusal {
    fn from(lagged: Lagged) -> Self {
        Self::Lagged { window: lagged.window }
    }
}

impl<M: Clone> Hub<M> {
    pub(crate) fn new(window: NonZeroUsize, encode: fn(String) -> M) -> Self {
        let window = window.get();
        Self {
            ring: RwLock::new(Ring { window, newest: 0, messages: VecDeque::new() }),
            news: watch::Sender::new(()),
            wake: RwLock::default(),
            encode,
            counts: Default::default(),
            lagged: AtomicU64::new(0),
        }
    }

    /// Gives a publication the next id and hands it to every subscriber.
    pub fn publish(&self, event: Option<&str>, data: &str) -> Receipt {
        // Encoded under the lock, since the id is part of it and ids must be in order in the ring.
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let id = ring.newest + 1;
        let json =
            serde_json::to_string(&Envelope { id, event, data }).expect("strings and a number are JSON");
        let message = (self.encode)(json);
        if ring.messages.len() == ring.window {
            ring.messages.pop_front();
        }
        ring.messages.push_back(message);
        ring.newest = id;
        // Counted under the lock, as `subscribe` counts: exactly those that this publication goes to.
        let subscribers = self.counts.iter().map(|count| count.load(Relaxed)).sum();
        drop(ring);
        self.news.send_replace(());
        for wake in self.wake.read().unwrap_or_else(PoisonError::into_inner).iter() {
            wake();
        }
        Receipt { id, subscribers }
    }

    /// Has `wake` called after each publication, in the publisher's thread: for event loops that are not
    /// futures, which then call [`Subscription::try_next`].
    pub fn on_publication(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.wake.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(wake));
    }

    /// A subscriber to all publications after the one with the id `after`, as far as they are kept.
    /// Without `after`, or with an id that is yet to come: those from now on.
    pub fn subscribe(self: &Arc<Self>, transport: Transport, after: Option<u64>) -> Subscription<M> {
        let news = self.news.subscribe();
        let ring = self.read();
        let oldest_cursor = ring.newest - ring.messages.len() as u64;
        let cursor = after.unwrap_or(ring.newest).clamp(oldest_cursor, ring.newest);
        self.counts[transport as usize].fetch_add(1, Relaxed);
        drop(ring);
        Subscription { hub: Arc::clone(self), news, cursor, lagged: false, transport }
    }

    /// What `GET /stats` shows.
    pub fn stats(&self) -> Stats {
        let count = |transport: Transport| self.counts[transport as usize].load(Relaxed);
        Stats {
            subscribers: Subscribers {
                websocket: count(Transport::WebSocket),
                sse: count(Transport::Sse),
                long_poll: count(Transport::LongPoll),
            },
            publications: self.read().newest,
            dropped: Dropped { lagged: self.lagged.load(Relaxed) },
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Ring<M>> {
        // A publisher that panicked in `encode` has changed nothing yet.
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> fmt::Debug for Hub<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("counts", &self.counts)
            .field("lagged", &self.lagged)
            .finish_non_exhaustive()
    }
}

/// One subscriber's place in the stream of publications. It is counted until it is dropped.
#[derive(Debug)]
pub struct Subscription<M> {
    hub: Arc<Hub<M>>,
    news: watch::Receiver<()>,
    /// Id of the last publication that was handed out.
    cursor: u64,
    /// Has it been counted as lagged?
    lagged: bool,
    transport: Transport,
}

impl<M: Clone> Subscription<M> {
    /// The next publication, as soon as there is one. Safe to cancel: nothing is lost.
    ///
    /// # Errors
    /// [`Lagged`]: close the subscriber.
    pub async fn next(&mut self) -> Result<M, Lagged> {
        loop {
            if let Some(message) = self.try_next()? {
                return Ok(message);
            }
            self.wait_for_news().await;
        }
    }

    /// The next publication, if there is one.
    ///
    /// # Errors
    /// [`Lagged`]: close the subscriber.
    pub fn try_next(&mut self) -> Result<Option<M>, Lagged> {
        let ring = self.hub.read();
        let behind = ring.newest - self.cursor;
        if behind == 0 {
            return Ok(None);
        }
        let kept = ring.messages.len();
        let index = usize::try_from(behind).ok().and_then(|behind| kept.checked_sub(behind));
        let message = index.map(|index| ring.messages[index].clone());
        drop(ring);
        if message.is_none() {
            return Err(self.give_up());
        }
        self.cursor += 1;
        Ok(message)
    }

    /// For an event loop whose client reads nothing at the moment: may it still wait for it?
    ///
    /// # Errors
    /// [`Lagged`]: close the subscriber.
    pub fn check_lag(&mut self) -> Result<(), Lagged> {
        if self.is_lagging() { Err(self.give_up()) } else { Ok(()) }
    }

    /// Runs `send`, and gives it up if meanwhile the subscriber falls too far behind: one that has
    /// stopped reading would otherwise hold a blocked send, and so its memory, for ever.
    ///
    /// # Errors
    /// [`Lagged`]: close the subscriber.
    pub async fn unless_lagged<F: Future>(&mut self, send: F) -> Result<F::Output, Lagged> {
        let mut send = pin!(send);
        let mut lagging = pin!(self.lagging());
        poll_fn(|context| match send.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => lagging.as_mut().poll(context).map(Err),
        })
        .await
    }

    /// Ends when the subscriber has fallen too far behind.
    async fn lagging(&mut self) -> Lagged {
        loop {
            if self.is_lagging() {
                return self.give_up();
            }
            self.wait_for_news().await;
        }
    }

    /// Ends at once if there was a publication since this last ended: what comes between looking at the ring and
    /// waiting here wakes once too often, never too rarely.
    async fn wait_for_news(&mut self) {
        // An error means that the hub is gone, and we hold it.
        let _ = self.news.changed().await;
    }

    fn is_lagging(&self) -> bool {
        let ring = self.hub.read();
        ring.newest - self.cursor > ring.window as u64
    }

    fn give_up(&mut self) -> Lagged {
        if !std::mem::replace(&mut self.lagged, true) {
            self.hub.lagged.fetch_add(1, Relaxed);
        }
        Lagged { window: self.hub.read().window }
    }
}

impl<M> Drop for Subscription<M> {
    fn drop(&mut self) {
        self.hub.counts[self.transport as usize].fetch_sub(1, Relaxed);
    }
}
