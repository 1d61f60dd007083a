use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use crate::slab::Token;

/// What an event loop does without being asked: it ends polls, and sends heartbeats.
#[derive(Debug)]
pub(crate) struct Timers {
    /// At most one for each connection.
    polls: BinaryHeap<Reverse<(Instant, Token)>>,
    heartbeat: Option<Duration>,
    /// While there are subscribers.
    next_heartbeat: Option<Instant>,
}

impl Timers {
    pub(crate) fn new(heartbeat: Option<Duration>) -> Self {
        Self { polls: BinaryHeap::new(), heartbeat, next_heartbeat: None }
    }

    pub(crate) fn add_poll(&mut self, deadline: Instant, token: Token) {
        self.polls.push(Reverse((deadline, token)));
    }

    /// There is a subscriber.
    pub(crate) fn expect_heartbeat(&mut self) {
        if self.next_heartbeat.is_none() {
            self.next_heartbeat = self.heartbeat.map(|period| Instant::now() + period);
        }
    }

    /// When something is next to be done.
    pub(crate) fn next(&self) -> Option<Instant> {
        let poll = self.polls.peek().map(|Reverse((deadline, _))| *deadline);
        poll.into_iter().chain(self.next_heartbeat).min()
    }

    /// Takes out a connection that had a poll whose time is over: it may have another one by now.
    pub(crate) fn due_poll(&mut self, now: Instant) -> Option<Token> {
        let Reverse((deadline, token)) = *self.polls.peek()?;
        if deadline > now {
            return None;
        }
        self.polls.pop();
        Some(token)
    }

    /// Are heartbeats to be sent now? If so the next ones are a period later, if there are still subscribers.
    pub(crate) fn is_heartbeat_due(&mut self, now: Instant, has_subscribers: bool) -> bool {
        if self.next_heartbeat.is_none_or(|due| due > now) {
            return false;
        }
        self.next_heartbeat = self.heartbeat.filter(|_| has_subscribers).map(|period| now + period);
        has_subscribers
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Timers;
    use crate::slab::Token;

    #[test]
    fn the_earliest_comes_first_and_heartbeats_end_with_the_subscribers() {
        let mut timers = Timers::new(Some(Duration::from_secs(60)));
        assert_eq!(timers.next(), None);
        let now = Instant::now();
        let [later, sooner] = [1, 2].map(Token::from_u64);
        timers.add_poll(now + Duration::from_secs(2), later);
        timers.add_poll(now + Duration::from_secs(1), sooner);
        assert_eq!(timers.next(), Some(now + Duration::from_secs(1)));
        assert_eq!(timers.due_poll(now), None);
        assert_eq!(timers.due_poll(now + Duration::from_secs(2)), Some(sooner));
        assert_eq!(timers.due_poll(now + Duration::from_secs(2)), Some(later));

        timers.expect_heartbeat();
        let due = timers.next().expect("a heartbeat");
        assert!(!timers.is_heartbeat_due(now, true));
        assert!(timers.is_heartbeat_due(due, true));
        assert_eq!(timers.next(), Some(due + Duration::from_secs(60)));
        assert!(!timers.is_heartbeat_due(due + Duration::from_secs(60), false));
        assert_eq!(timers.next(), None);
    }
}
