//! What `src/ring.rs` is built of, on loom's primitives.

pub(crate) use loom::sync::atomic::AtomicU64;
pub(crate) use loom::sync::{RwLock, RwLockReadGuard};

/// What the core asks of `tokio::sync::watch`, as its documentation promises it: a version, and who waits for the next.
pub(crate) mod watch {
    use std::convert::Infallible;
    use std::future::poll_fn;
    use std::marker::PhantomData;
    use std::mem::take;
    use std::sync::Arc;
    use std::task::{Poll, Waker};

    use loom::sync::Mutex;

    #[derive(Debug, Default)]
    struct State {
        version: u64,
        waiting: Vec<Waker>,
    }

    #[derive(Debug)]
    pub(crate) struct Sender<T> {
        state: Arc<Mutex<State>>,
        value: PhantomData<T>,
    }

    impl<T> Sender<T> {
        pub(crate) fn new(_: T) -> Self {
            Self { state: Arc::new(Mutex::new(State::default())), value: PhantomData }
        }

        pub(crate) fn send_replace(&self, _: T) {
            let mut state = self.state.lock().unwrap();
            state.version += 1;
            let waiting = take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
        }

        /// What has been sent before is seen.
        pub(crate) fn subscribe(&self) -> Receiver<T> {
            let seen = self.state.lock().unwrap().version;
            Receiver { state: Arc::clone(&self.state), seen, value: PhantomData }
        }
    }

    #[derive(Debug)]
    pub(crate) struct Receiver<T> {
        state: Arc<Mutex<State>>,
        seen: u64,
        value: PhantomData<T>,
    }

    impl<T> Receiver<T> {
        /// Ends at once if something was sent that has not been seen, and marks it as seen.
        pub(crate) async fn changed(&mut self) -> Result<(), Infallible> {
            poll_fn(|context| {
                let mut state = self.state.lock().unwrap();
                if state.version == self.seen {
                    state.waiting.push(context.waker().clone());
                    return Poll::Pending;
                }
                self.seen = state.version;
                Poll::Ready(Ok(()))
            })
            .await
        }
    }
}
