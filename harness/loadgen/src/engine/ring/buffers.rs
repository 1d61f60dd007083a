//! The buffers that the kernel puts what has arrived into, and the ring by which it is given them (io_uring_register_buf_ring(3)).
#![allow(unsafe_code, reason = "the kernel reads and writes by the addresses that it is given")]

use std::io;
use std::sync::atomic::{AtomicU16, Ordering::Release};

use io_uring::Submitter;
use io_uring::types::BufRingEntry;

/// The kernel takes a power of two. It goes through all of them in turn, so their first bytes are to stay in a core's caches.
const COUNT: u16 = 512;
/// An odd number of cache lines: with a power of two the first bytes of all would share a few places of the caches.
const BYTES: usize = 33 * 64;
/// Number of the only group of buffers of a ring.
pub(super) const GROUP: u16 = 0;

/// The ring by which buffers are given to the kernel: it is to begin with a page, of up to 64 KiB on some machines.
#[repr(C, align(65536))]
struct Entries([[u8; size_of::<BufRingEntry>()]; COUNT as usize]);

/// Buffers of one size. Each is either the kernel's, or holds what has arrived until it is [given back](Self::give_back).
pub(super) struct Buffers {
    entries: Box<Entries>,
    memory: Box<[u8]>,
    tail: u16,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self {
            entries: Box::new(Entries([[0; size_of::<BufRingEntry>()]; COUNT as usize])),
            memory: vec![0; COUNT as usize * BYTES].into(),
            tail: 0,
        }
    }

    /// Gives all of them to the kernel, until they are unregistered.
    ///
    /// # Errors
    /// The kernel does not know of such rings: before Linux 5.19.
    pub(super) fn register(&mut self, submitter: &Submitter<'_>) -> io::Result<()> {
        let entries = self.entries.0.as_mut_ptr() as u64;
        // SAFETY: so many entries lie there, aligned to a page, and its owner unregisters them before it drops them.
        unsafe { submitter.register_buf_ring_with_flags(entries, COUNT, GROUP, 0)? };
        for buffer in 0..COUNT {
            self.give_back(buffer);
        }
        Ok(())
    }

    /// The first bytes of a buffer that the kernel has filled.
    pub(super) fn filled(&self, buffer: u16, length: usize) -> &[u8] {
        let start = usize::from(buffer) * BYTES;
        &self.memory[start..start + length]
    }

    /// The kernel may fill this one again.
    pub(super) fn give_back(&mut self, buffer: u16) {
        let address = self.memory[usize::from(buffer) * BYTES..].as_mut_ptr() as u64;
        let entries = self.entries.0.as_mut_ptr().cast::<BufRingEntry>();
        // SAFETY: there are COUNT entries. The kernel does not read this one before it sees the new tail, which is the last field
        // of the first one.
        unsafe {
            let entry = &mut *entries.add(usize::from(self.tail % COUNT));
            entry.set_addr(address);
            entry.set_len(BYTES as u32);
            entry.set_bid(buffer);
            self.tail = self.tail.wrapping_add(1);
            (*BufRingEntry::tail(entries).cast::<AtomicU16>()).store(self.tail, Release);
        }
    }
}
