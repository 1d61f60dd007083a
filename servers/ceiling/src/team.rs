use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::bell::Bell;

/// The event loops of a server, by number, as each sees the others.
///
/// Any of them may accept a connection, but they take them in turn: left alone, the kernel wakes the same
/// loop nearly every time, and that one ends up with them all.
#[derive(Debug)]
pub(crate) struct Team {
    members: Vec<Member>,
    turn: AtomicUsize,
}

#[derive(Debug)]
struct Member {
    bell: Bell,
    /// Connections that others have accepted for it.
    sockets: Mutex<Vec<OwnedFd>>,
}

impl Team {
    pub(crate) fn new(members: usize) -> io::Result<Self> {
        let member = |_| Ok(Member { bell: Bell::new()?, sockets: Mutex::default() });
        Ok(Self { members: (0..members).map(member).collect::<io::Result<_>>()?, turn: AtomicUsize::new(0) })
    }

    pub(crate) fn bell(&self, member: usize) -> &Bell {
        &self.members[member].bell
    }

    /// After a publication, by any thread.
    pub(crate) fn ring_all(&self) {
        for member in &self.members {
            member.bell.ring();
        }
    }

    /// Who is to serve the next connection?
    pub(crate) fn whose_turn(&self) -> usize {
        self.turn.fetch_add(1, Relaxed) % self.members.len()
    }

    pub(crate) fn hand_over(&self, member: usize, socket: OwnedFd) {
        let member = &self.members[member];
        member.sockets.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
        member.bell.ring();
    }

    /// What has been handed to `member`, which its bell has told it to look for.
    pub(crate) fn take_sockets(&self, member: usize) -> Vec<OwnedFd> {
        mem::take(&mut self.members[member].sockets.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::Team;

    #[test]
    fn connections_are_served_in_turn_by_who_is_told_of_them() {
        let team = Team::new(3).unwrap();
        let turns: Vec<usize> = (0..6).map(|_| team.whose_turn()).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2]);

        let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        team.hand_over(1, socket.into());
        assert_eq!([0, 1, 2].map(|member| team.bell(member).take_news()), [false, true, false]);
        assert_eq!([0, 1, 2].map(|member| team.take_sockets(member).len()), [0, 1, 0]);
        assert_eq!(team.take_sockets(1).len(), 0);
    }
}
