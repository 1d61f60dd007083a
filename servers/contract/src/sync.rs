//! What [`crate::ring`] is built of. Its model in `tests/model.rs` is the same source on loom's primitives instead.

pub(crate) use std::sync::atomic::AtomicU64;
pub(crate) use std::sync::{RwLock, RwLockReadGuard};

pub(crate) use tokio::sync::watch;
