//! The core of the hub: one ring that all subscribers read, each from a place of its own.
//!
//! The ring is the replay window, and how far a subscriber may fall behind: a slow one costs a number, not a queue.
//! This file is compiled a second time by `tests/model.rs`, on other primitives: it names none but those of [`sync`](crate::sync).

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::task::Poll;

use crate::sync::{AtomicU64, RwLock, RwLockReadGuard, watch};

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

/// The subscriber fell more than the replay window behind and must be closed. It has been counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lagged {
    /// The replay window, in publications.
    pub window: usize,
}

/// The newest publications `P`, and who is told of the next.
#[derive(Debug)]
pub(crate) struct Ring<P> {
    window: RwLock<Window<P>>,
    /// Bumped after each publication; wakes whoever waits.
    news: watch::Sender<()>,
    counts: [AtomicU64; 3],
    lagged: AtomicU64,
}

#[derive(Debug)]
struct Window<P> {
    size: usize,
    /// Id of the newest publication; 0 before the first.
    newest: u64,
    /// The newest `size` publications, the newest last.
    publications: VecDeque<P>,
}

impl<P> Window<P> {
    /// The id before that of the oldest publication kept.
    fn oldest_cursor(&self) -> u64 {
        self.newest - self.publications.len() as u64
    }
}

impl<P> Ring<P> {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            window: RwLock::new(Window { size, newest: 0, publications: VecDeque::new() }),
            news: watch::Sender::new(()),
            counts: [const { 0 }; 3].map(AtomicU64::new),
            lagged: AtomicU64::new(0),
        }
    }

    /// Gives what `make` makes of the next id to every subscriber: that id, and how many they are.
    pub(crate) fn publish(&self, make: impl FnOnce(u64) -> P) -> (u64, u64) {
        // Made under the lock, since the id is part of it and ids must be in order in the ring.
        let mut window = self.window.write().unwrap_or_else(PoisonError::into_inner);
        let id = window.newest + 1;
        let publication = make(id);
        if window.publications.len() == window.size {
            window.publications.pop_front();
        }
        window.publications.push_back(publication);
        window.newest = id;
        // Counted under the lock, as `subscribe` counts: exactly those that this publication goes to.
        let subscribers = self.counts.iter().map(|count| count.load(Relaxed)).sum();
        drop(window);
        self.news.send_replace(());
        (id, subscribers)
    }

    /// A place after the publication with the id `after`, as far as the next ones are kept.
    /// Without `after`, or with an id that is yet to come: after the newest.
    pub(crate) fn subscribe(ring: &Arc<Self>, transport: Transport, after: Option<u64>) -> Place<P> {
        let news = ring.news.subscribe();
        let window = ring.read();
        let cursor = after.unwrap_or(window.newest).clamp(window.oldest_cursor(), window.newest);
        ring.counts[transport as usize].fetch_add(1, Relaxed);
        drop(window);
        Place { ring: Arc::clone(ring), news, cursor, lagged: false, transport }
    }

    /// Id of the newest publication.
    pub(crate) fn newest(&self) -> u64 {
        self.read().newest
    }

    pub(crate) fn subscribers(&self, transport: Transport) -> u64 {
        self.counts[transport as usize].load(Relaxed)
    }

    pub(crate) fn lagged(&self) -> u64 {
        self.lagged.load(Relaxed)
    }

    fn read(&self) -> RwLockReadGuard<'_, Window<P>> {
        // A publisher that panicked in `make` has changed nothing yet.
        self.window.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One subscriber's place in the stream of publications. It is counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Place<P> {
    ring: Arc<Ring<P>>,
    news: watch::Receiver<()>,
    /// Id of the last publication that was handed out.
    cursor: u64,
    /// Has it been counted as lagged?
    lagged: bool,
    transport: Transport,
}

impl<P> Place<P> {
    /// What `pick` takes of the next publication, as soon as there is one. Safe to cancel: nothing is lost.
    pub(crate) async fn next<T>(&mut self, pick: impl Fn(&P) -> T) -> Result<T, Lagged> {
        loop {
            if let Some(picked) = self.try_next(&pick)? {
                return Ok(picked);
            }
            self.wait_for_news().await;
        }
    }

    /// What `pick` takes of the next publication, if there is one.
    pub(crate) fn try_next<T>(&mut self, pick: impl Fn(&P) -> T) -> Result<Option<T>, Lagged> {
        let window = self.ring.read();
        let behind = window.newest - self.cursor;
        if behind == 0 {
            return Ok(None);
        }
        let kept = window.publications.len();
        let index = usize::try_from(behind).ok().and_then(|behind| kept.checked_sub(behind));
        let picked = index.map(|index| pick(&window.publications[index]));
        drop(window);
        if picked.is_none() {
            return Err(self.give_up());
        }
        self.cursor += 1;
        Ok(picked)
    }

    /// Hands out all that there is, as long as `take` takes it; what is no longer kept is passed over.
    pub(crate) fn catch_up(&mut self, mut take: impl FnMut(&P) -> bool) {
        let window = self.ring.read();
        self.cursor = self.cursor.max(window.oldest_cursor());
        let skipped = (self.cursor - window.oldest_cursor()) as usize;
        for publication in window.publications.range(skipped..) {
            if !take(publication) {
                break;
            }
            self.cursor += 1;
        }
    }

    /// May a client that takes nothing at the moment still be waited for?
    pub(crate) fn check_lag(&mut self) -> Result<(), Lagged> {
        if self.is_lagging() { Err(self.give_up()) } else { Ok(()) }
    }

    /// Runs `send`, and gives it up if meanwhile the subscriber falls too far behind.
    pub(crate) async fn unless_lagged<F: Future>(&mut self, send: F) -> Result<F::Output, Lagged> {
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
    pub(crate) async fn wait_for_news(&mut self) {
        // An error means that the ring is gone, and we hold it.
        let _ = self.news.changed().await;
    }

    fn is_lagging(&self) -> bool {
        let window = self.ring.read();
        window.newest - self.cursor > window.size as u64
    }

    fn give_up(&mut self) -> Lagged {
        if !std::mem::replace(&mut self.lagged, true) {
            self.ring.lagged.fetch_add(1, Relaxed);
        }
        Lagged { window: self.ring.read().size }
    }
}

impl<P> Drop for Place<P> {
    fn drop(&mut self) {
        // A framework that asks for the next publication only when its client has room finds out no earlier.
        let _ = self.check_lag();
        self.ring.counts[self.transport as usize].fetch_sub(1, Relaxed);
    }
}
