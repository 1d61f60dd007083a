use std::fmt;
use std::future::Future;

use crate::publication::Publication;
use crate::ring::Place;
use crate::{Lagged, Refusal};

/// One subscriber to the publications of a [`Hub`](crate::Hub), each as a `T`: a message of the framework's WebSocket,
/// or a block of an event stream. It is counted until it is dropped.
pub struct Subscription<M, T = M> {
    pub(crate) place: Place<Publication<M>>,
    pick: fn(&Publication<M>) -> T,
}

impl<M, T> Subscription<M, T> {
    pub(crate) fn new(place: Place<Publication<M>>, pick: fn(&Publication<M>) -> T) -> Self {
        Self { place, pick }
    }

    /// The next publication, as soon as there is one. Safe to cancel: nothing is lost.
    ///
    /// # Errors
    /// [`Lagged`]: close the subscriber.
    pub async fn next(&mut self) -> Result<T, Lagged> {
        self.place.next(self.pick).await
    }

    /// The next publication, if there is one.
    ///
    /// # Errors
    /// [`Lagged`]: close the subscriber.
    pub fn try_next(&mut self) -> Result<Option<T>, Lagged> {
        self.place.try_next(self.pick)
    }

    /// For an event loop whose client reads nothing at the moment: may it still wait for it?
    ///
    /// # Errors
    /// [`Lagged`]: close the subscriber.
    pub fn check_lag(&mut self) -> Result<(), Lagged> {
        self.place.check_lag()
    }

    /// Runs `send`, and gives it up if meanwhile the subscriber falls too far behind: one that has
    /// stopped reading would otherwise hold a blocked send, and so its memory, for ever.
    ///
    /// # Errors
    /// [`Lagged`]: close the subscriber.
    pub async fn unless_lagged<F: Future>(&mut self, send: F) -> Result<F::Output, Lagged> {
        self.place.unless_lagged(send).await
    }
}

impl<M, T> fmt::Debug for Subscription<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl From<Lagged> for Refusal {
    fn from(lagged: Lagged) -> Self {
        Self::Lagged { window: lagged.window }
    }
}
