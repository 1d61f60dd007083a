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
    /// Length of each message: small, to leave no large buffer behind at the server, but larger than most
    /// messages of a load, to be soon over.
    const MESSAGE_BYTES: usize = 2048;

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
