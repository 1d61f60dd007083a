//! Sockets by io_uring(7): one system call sends on many connections, and brings what has arrived on all of them.
//!
//! A receive is armed once for a connection, and takes a buffer of the ring whenever something arrives. Sends are staged, and
//! handed over [`SENDS`] at a time.
//!
//! The kernel never reads a byte to be sent after [`Ring::enter`] has returned: each send is to be done at once or not at all
//! (`MSG_DONTWAIT`), so that none is put off until its socket has room.
#![allow(unsafe_code, reason = "the kernel reads by the addresses that it is given")]

mod buffers;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};

use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use buffers::{Buffers, GROUP};

/// Sends that are handed over together. With more, the last of them would leave noticeably later than it says, and hardly
/// anything would be saved (README.md, "epoll and io_uring").
const SENDS: usize = 16;
/// So many bytes to be sent are handed over however few sends they are.
const SENT_BYTES: usize = 256 * 1024;
const SUBMISSIONS: u32 = 256;
const COMPLETIONS: u32 = 4096;
/// The kernel is asked so often to take what it has not taken for want of memory.
const TRIES: usize = 1000;

/// A connection, as completions name it. A slot has many lives: what was meant for one must not reach the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// Number of the connection.
    pub(crate) slot: usize,
    /// Number of its life, below [`LIVES`](Self::LIVES).
    pub(crate) life: u32,
}

impl Ticket {
    /// How many lives there are before they are counted from the beginning.
    pub(crate) const LIVES: u32 = 1 << 24;
}

/// What a receive has come to.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) ticket: Ticket,
    /// How much it is: nothing at the end of the connection. `None` if the ring had no buffer left.
    pub(crate) length: io::Result<Option<usize>>,
    /// Will more be received without being asked for?
    pub(crate) is_armed: bool,
}

/// What the kernel did not take of a send.
#[derive(Debug)]
pub(crate) struct Unsent {
    pub(crate) slot: usize,
    pub(crate) rest: Box<[u8]>,
    /// Why it never will.
    pub(crate) error: Option<io::Error>,
}

pub(crate) struct Ring {
    uring: IoUring,
    buffers: Buffers,
    staged: Vec<Staged>,
    /// How many of them are sends.
    sends: usize,
    /// What the staged sends send.
    bytes: Vec<u8>,
    completed: VecDeque<Completed>,
    unsent: Vec<Unsent>,
    /// The epoll that is watched, and whether it still is.
    epoll: RawFd,
    is_watching: bool,
    epoll_is_ready: bool,
}

struct Staged {
    slot: usize,
    socket: RawFd,
    what: What,
}

enum What {
    Receive(Ticket),
    Send(Range<usize>),
}

struct Completed {
    ticket: Ticket,
    result: i32,
    flags: u32,
}

impl Ring {
    /// A ring for the thread that makes it, which also hears of what `epoll` has; that has to outlive it.
    ///
    /// # Errors
    /// There is no io_uring, it is not allowed, or it is older than Linux 6.1.
    pub(crate) fn new(epoll: &impl AsRawFd) -> io::Result<Self> {
        let uring = IoUring::builder()
            .setup_single_issuer()
            // What arrives is received when this thread asks for it, and does not interrupt it.
            .setup_defer_taskrun()
            .setup_cqsize(COMPLETIONS)
            .build(SUBMISSIONS)?;
        let mut buffers = Buffers::new();
        buffers.register(&uring.submitter())?;
        Ok(Self {
            uring,
            buffers,
            staged: Vec::new(),
            sends: 0,
            bytes: Vec::new(),
            completed: VecDeque::new(),
            unsent: Vec::new(),
            epoll: epoll.as_raw_fd(),
            is_watching: false,
            epoll_is_ready: false,
        })
    }

    /// Stages that what arrives on a socket is received, from now on.
    pub(crate) fn receive(&mut self, ticket: Ticket, socket: &impl AsRawFd) {
        self.stage(ticket.slot, socket, What::Receive(ticket));
    }

    /// Is a send on this connection staged? Not a second one: it would be sent even if the first was in part.
    pub(crate) fn has_send(&self, slot: usize) -> bool {
        let is_send = |staged: &Staged| staged.slot == slot && matches!(staged.what, What::Send(_));
        self.sends > 0 && self.staged.iter().any(is_send)
    }

    /// Is so much staged that it is to be handed over?
    pub(crate) fn is_full(&self) -> bool {
        self.sends >= SENDS || self.bytes.len() >= SENT_BYTES
    }

    /// Stages a send.
    pub(crate) fn send(&mut self, slot: usize, socket: &impl AsRawFd, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.sends += 1;
        self.stage(slot, socket, What::Send(start..self.bytes.len()));
    }

    fn stage(&mut self, slot: usize, socket: &impl AsRawFd, what: What) {
        self.staged.push(Staged { slot, socket: socket.as_raw_fd(), what });
    }

    /// Forgets what is staged for a connection whose socket is about to be closed: its number may be another's next.
    pub(crate) fn forget(&mut self, slot: usize) {
        self.sends -= usize::from(self.has_send(slot));
        self.staged.retain(|staged| staged.slot != slot);
    }

    /// Hands over what is staged, and waits until something has arrived, the epoll has something or the time is up: has it?
    ///
    /// # Errors
    /// The system fails.
    pub(crate) fn wait(&mut self, timeout_ns: u64) -> io::Result<bool> {
        if !self.is_watching {
            let watch = opcode::PollAdd::new(Fd(self.epoll), PollFlags::IN.bits().into())
                .build()
                .user_data(number::WATCH);
            self.push(&watch)?;
            self.is_watching = true;
        }
        // Even where something is left over it is the kernel's turn to receive.
        self.enter(Some(if self.completed.is_empty() { timeout_ns } else { 0 }))?;
        Ok(std::mem::take(&mut self.epoll_is_ready))
    }

    /// Hands over what is staged, and does not wait. What the kernel did not take is [`unsent`](Self::unsent) then.
    ///
    /// # Errors
    /// The system fails.
    pub(crate) fn hand_over(&mut self) -> io::Result<()> {
        if self.staged.is_empty() { Ok(()) } else { self.enter(None) }
    }

    /// Sends of which the kernel did not take all: to be asked for as soon as they were handed over.
    pub(crate) fn unsent(&mut self) -> Option<Unsent> {
        self.unsent.pop()
    }

    /// How many receives have come to something.
    pub(crate) fn arrived(&self) -> usize {
        self.completed.len()
    }

    /// What the next receive has come to, whose bytes are copied to the beginning of `received`.
    pub(crate) fn next(&mut self, received: &mut [u8]) -> Option<Arrived> {
        let Completed { ticket, result, flags } = self.completed.pop_front()?;
        let length = match usize::try_from(result) {
            Ok(length) => Ok(Some(length)),
            Err(_) if result == -Errno::NOBUFS.raw_os_error() => Ok(None),
            Err(_) => Err(io::Error::from_raw_os_error(-result)),
        };
        if let Some(buffer) = cqueue::buffer_select(flags) {
            if let Ok(Some(length)) = length {
                received[..length].copy_from_slice(self.buffers.filled(buffer, length));
            }
            self.buffers.give_back(buffer);
        }
        Some(Arrived { ticket, length, is_armed: cqueue::more(flags) })
    }

    /// Hands over all that is staged; with a timeout it waits for a completion. After an error the ring is of no more use.
    fn enter(&mut self, timeout_ns: Option<u64>) -> io::Result<()> {
        for index in 0..self.staged.len() {
            self.push(&self.entry(index))?;
        }
        self.call(timeout_ns)?;
        for _ in 0..TRIES {
            let submission = self.uring.submission();
            // What has completed is told to the end, too, while what it names is still staged.
            if submission.is_empty() && !submission.cq_overflow() {
                self.staged.clear();
                self.bytes.clear();
                self.sends = 0;
                return Ok(());
            }
            drop(submission);
            self.call(None)?;
        }
        Err(Errno::NOMEM.into())
    }

    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        for _ in 0..TRIES {
            // SAFETY: what it points to is part of `bytes`, which stays as it is until the kernel has taken the entry (`enter`).
            if unsafe { self.uring.submission().push(entry) }.is_ok() {
                return Ok(());
            }
            self.call(None)?;
        }
        Err(Errno::NOMEM.into())
    }

    fn entry(&self, index: usize) -> squeue::Entry {
        let Staged { socket, what, .. } = &self.staged[index];
        match what {
            What::Receive(ticket) => {
                opcode::RecvMulti::new(Fd(*socket), GROUP).build().user_data(number::of(*ticket))
            }
            What::Send(range) => {
                let bytes = &self.bytes[range.clone()];
                // A send of which all was taken says nothing; MSG_WAITALL has one say so of which only a part was.
                let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
                opcode::Send::new(Fd(*socket), bytes.as_ptr(), bytes.len() as u32)
                    .flags((flags.bits() | RecvFlags::WAITALL.bits()) as i32)
                    .build()
                    .flags(squeue::Flags::SKIP_SUCCESS)
                    .user_data(number::SEND | index as u64)
            }
        }
    }

    /// One `io_uring_enter`, and what has completed by its end.
    fn call(&mut self, timeout_ns: Option<u64>) -> io::Result<()> {
        let submitter = self.uring.submitter();
        let entered = match timeout_ns {
            None => submitter.submit(),
            Some(timeout_ns) => {
                let timeout =
                    Timespec::new().sec(timeout_ns / 1_000_000_000).nsec((timeout_ns % 1_000_000_000) as u32);
                submitter.submit_with_args(1, &SubmitArgs::new().timespec(&timeout))
            }
        };
        self.collect();
        let passes = [Errno::TIME, Errno::INTR, Errno::BUSY, Errno::AGAIN];
        match entered {
            Err(error) if !passes.iter().any(|&errno| Errno::from_io_error(&error) == Some(errno)) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn collect(&mut self) {
        for entry in self.uring.completion() {
            let (number, result, flags) = (entry.user_data(), entry.result(), entry.flags());
            if number == number::WATCH {
                self.is_watching = false;
                self.epoll_is_ready = true;
            } else if number & number::SEND == 0 {
                self.completed.push_back(Completed { ticket: number::ticket(number), result, flags });
            } else if let Some(Staged { slot, what: What::Send(range), .. }) =
                self.staged.get((number & !number::SEND) as usize)
            {
                let again = result == -Errno::AGAIN.raw_os_error();
                let error = (result < 0 && !again).then(|| io::Error::from_raw_os_error(-result));
                let sent = usize::try_from(result).unwrap_or(0);
                let rest = self.bytes[range.clone()].get(sent..).unwrap_or_default().into();
                self.unsent.push(Unsent { slot: *slot, rest, error });
            }
        }
    }
}

/// The kernel closes a ring when it gets to it, and may fill a buffer until then: not one that it has no more.
impl Drop for Ring {
    fn drop(&mut self) {
        // If it fails, there are none.
        let _ = self.uring.submitter().unregister_buf_ring(GROUP);
    }
}

/// The numbers of what is asked of the kernel, by which it tells what has completed.
mod number {
    use super::Ticket;

    /// Of a send: with its place among those staged.
    pub(super) const SEND: u64 = 1 << 63;
    /// Of the epoll's being watched: no connection has it, since its life would be too high a number.
    pub(super) const WATCH: u64 = 1 << 62;

    pub(super) fn of(Ticket { slot, life }: Ticket) -> u64 {
        u64::from(life) << 32 | slot as u64
    }

    pub(super) fn ticket(number: u64) -> Ticket {
        Ticket { slot: (number & u64::from(u32::MAX)) as usize, life: (number >> 32) as u32 }
    }
}
