use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::answer::Dropped;
use crate::publication::Publication;
use crate::ring::{Ring, Transport};
use crate::{Receipt, Stats, Subscription};

/// Fans publications out to the subscribers of all transports. `M` is a message of the framework's WebSocket.
pub struct Hub<M> {
    ring: Arc<Ring<Publication<M>>>,
    wake: RwLock<Vec<Box<dyn Fn() + Send + Sync>>>,
    encode: fn(Bytes) -> M,
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

impl<M: Clone> Hub<M> {
    pub(crate) fn new(window: NonZeroUsize, encode: fn(Bytes) -> M) -> Self {
        Self { ring: Arc::new(Ring::new(window.get())), wake: RwLock::default(), encode }
    }

    /// Gives a publication the next id and hands it to every subscriber.
    pub fn publish(&self, event: Option<&str>, data: &str) -> Receipt {
        let (id, subscribers) = self.ring.publish(|id| Publication::new(id, event, data, self.encode));
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

    /// A subscriber over WebSocket to all publications after the one with the id `after`, as far as they are kept.
    /// Without `after`, or with an id that is yet to come: those from now on.
    #[must_use]
    pub fn subscribe(&self, after: Option<u64>) -> Subscription<M> {
        self.subscribe_as(Transport::WebSocket, after, |publication| publication.message.clone())
    }

    pub(crate) fn subscribe_as<T>(
        &self,
        transport: Transport,
        after: Option<u64>,
        pick: fn(&Publication<M>) -> T,
    ) -> Subscription<M, T> {
        Subscription::new(Ring::subscribe(&self.ring, transport, after), pick)
    }

    /// What `GET /stats` shows.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            subscribers: Subscribers {
                websocket: self.ring.subscribers(Transport::WebSocket),
                sse: self.ring.subscribers(Transport::Sse),
                long_poll: self.ring.subscribers(Transport::LongPoll),
            },
            publications: self.ring.newest(),
            dropped: Dropped { lagged: self.ring.lagged() },
        }
    }
}

impl<M> fmt::Debug for Hub<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}
