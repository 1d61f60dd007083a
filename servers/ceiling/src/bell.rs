use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU8, Ordering::AcqRel, Ordering::Acquire};

use rustix::event::{EventfdFlags, eventfd};

const AWAKE: u8 = 0;
const ASLEEP: u8 = 1;
const NEWS: u8 = 2;

/// Tells an event loop to look for publications and connections. It costs a system call only if the loop is asleep:
/// a loop that is awake, the publisher's own above all, looks before it falls asleep.
#[derive(Debug)]
pub(crate) struct Bell {
    state: AtomicU8,
    /// Watched edge-triggered: each write is an edge, so it need never be read.
    wake: OwnedFd,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { state: AtomicU8::new(AWAKE), wake })
    }

    /// By any thread, after it has left something to be found.
    pub(crate) fn ring(&self) {
        if self.state.swap(NEWS, AcqRel) == ASLEEP {
            // Fails only if the counter is full, and then the loop has 2^64 edges to wake from.
            let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
        }
    }

    /// By the loop that owns it, awake: has it rung since it was last asked?
    pub(crate) fn take_news(&self) -> bool {
        self.state.swap(AWAKE, AcqRel) == NEWS
    }

    /// By the loop that owns it, before it sleeps: `false` if there are news to see to first.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.state.compare_exchange(AWAKE, ASLEEP, AcqRel, Acquire).is_ok()
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::Bell;

    fn writes(bell: &Bell) -> u64 {
        let mut count = [0; 8];
        match rustix::io::read(&bell.wake, &mut count) {
            Ok(_) => u64::from_ne_bytes(count),
            Err(error) => {
                assert_eq!(error, rustix::io::Errno::AGAIN);
                0
            }
        }
    }

    #[test]
    fn wakes_only_who_sleeps_and_loses_no_news() {
        let bell = Bell::new().unwrap();
        bell.ring();
        bell.ring();
        assert_eq!(writes(&bell), 0, "it is awake");
        assert!(!bell.fall_asleep(), "there are news");
        assert!(bell.take_news());
        assert!(!bell.take_news());
        assert!(bell.fall_asleep());
        bell.ring();
        bell.ring();
        assert_eq!(writes(&bell), 1, "one system call for many publications");
        assert!(bell.take_news());
    }
}
