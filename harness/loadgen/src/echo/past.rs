use framing::MAX_HEADER_BYTES;

use crate::load::Kind;
use crate::payload::Template;

/// What a connection had echoed before its own messages. Those of users are not in step, but a load's are: they open
/// together and send the same. What a server does every so many bytes of a connection, such as to begin a new buffer, it
/// would do for all of them at once, and a short measurement would see one phase of it.
///
/// So each begins with a number of its own of such messages, one at a time, which are checked and not counted.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) template: Template,
    most: u64,
}

impl Past {
    /// Length of each message: larger than most messages of a load, to be soon over, but no larger, since what a
    /// server's buffers grow to for these would be told as the memory that the load's own messages take: at 1,000 connections
    /// actix holds half as much again with messages of 1 KiB as with 512 B, and with 512 B little more than with 64 B.
    const MESSAGE_BYTES: usize = 512;

    /// Of up to so many bytes a connection.
    pub(super) fn new(bytes: usize, kind: Kind) -> Self {
        let most = bytes / (MAX_HEADER_BYTES + Self::MESSAGE_BYTES);
        Self { template: Template::new(Self::MESSAGE_BYTES, kind), most: most as u64 }
    }

    /// How many of them one connection has.
    pub(super) fn draw(&self) -> u64 {
        fastrand::u64(..=self.most)
    }
}
