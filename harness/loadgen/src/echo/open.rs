use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::Peer;
use crate::engine::{Context, Schedule};
use crate::timetable::Timetable;

/// Messages outstanding on a connection, at most: 64 KiB of their times. What comes due beyond them waits in
/// its timetable, and is late.
pub(super) const MAX_OUTSTANDING: usize = 4096;

/// Open loop: a message is due when its time has come, whatever came of those before.
#[derive(Debug)]
pub(super) struct Open {
    /// By slot.
    lines: Vec<Line>,
    /// When which slot has something to send; each at most once.
    alarms: BinaryHeap<Reverse<(u64, usize)>>,
    /// Lines that have something to send, now or later.
    active: usize,
}

/// What one connection sends.
#[derive(Debug)]
struct Line {
    timetable: Timetable,
    /// Oldest first.
    outstanding: VecDeque<Sent>,
    has_alarm: bool,
    /// Between its opening, and its end or its last message.
    active: bool,
}

/// Times of a message.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    pub(super) intended_ns: u64,
    pub(super) sent_ns: u64,
}

impl Open {
    pub(super) fn new(timetables: impl Iterator<Item = Timetable>) -> Self {
        let line =
            |timetable| Line { timetable, outstanding: VecDeque::new(), has_alarm: false, active: false };
        Self { lines: timetables.map(line).collect(), alarms: BinaryHeap::new(), active: 0 }
    }

    pub(super) fn opened(&mut self, peer: &Peer) {
        self.lines[peer.slot].active = true;
        self.active += 1;
    }

    /// Takes the next message off the timetable, if it is due and may be outstanding.
    pub(super) fn take_due(&mut self, peer: &Peer, now_ns: u64, schedule: &Schedule) -> bool {
        let line = &mut self.lines[peer.slot];
        match schedule.intended_ns(&line.timetable) {
            Some(intended_ns) if intended_ns <= now_ns && line.outstanding.len() < MAX_OUTSTANDING => {
                line.timetable.advance();
                line.outstanding.push_back(Sent { intended_ns, sent_ns: 0 });
                true
            }
            _ => false,
        }
    }

    /// The messages of a connection from sequence number `first` on are about to be sent.
    pub(super) fn sent(&mut self, peer: &Peer, first: u64, context: &mut Context) {
        let now_ns = context.clock.now_ns();
        let newest = self.lines[peer.slot].outstanding.iter_mut().rev().take((peer.sent - first) as usize);
        for sent in newest {
            sent.sent_ns = now_ns;
            if context.schedule.counts(sent.intended_ns) {
                context.tally.sent += 1;
                context.tally.lateness.record_ns(now_ns - sent.intended_ns);
            }
        }
    }

    /// Notes when the connection has something to send again. What is due and cannot be sent needs no alarm:
    /// it waits for its socket, of which an event tells, or for a reply.
    pub(super) fn set_alarm(&mut self, peer: &Peer, now_ns: u64, schedule: &Schedule) {
        let line = &mut self.lines[peer.slot];
        match schedule.intended_ns(&line.timetable) {
            Some(next_ns) if next_ns > now_ns && !line.has_alarm => {
                line.has_alarm = true;
                self.alarms.push(Reverse((next_ns, peer.slot)));
            }
            None if schedule.has_begun() => self.end(peer),
            _ => {}
        }
    }

    /// Times of the oldest outstanding message, which is answered.
    pub(super) fn answered(&mut self, peer: &Peer) -> Sent {
        self.lines[peer.slot].outstanding.pop_front().unwrap_or_default()
    }

    /// The connection sends no more.
    pub(super) fn end(&mut self, peer: &Peer) {
        let was_active = std::mem::take(&mut self.lines[peer.slot].active);
        self.active -= usize::from(was_active);
    }

    /// Notes in `due` the connections whose time has come.
    pub(super) fn ring(&mut self, now_ns: u64, due: &mut Vec<usize>) {
        while let Some(&Reverse((at_ns, slot))) = self.alarms.peek()
            && at_ns <= now_ns
        {
            self.alarms.pop();
            self.lines[slot].has_alarm = false;
            due.push(slot);
        }
    }

    pub(super) fn next_alarm_ns(&self) -> u64 {
        self.alarms.peek().map_or(u64::MAX, |&Reverse((at_ns, _))| at_ns)
    }

    /// Has every connection sent its last message?
    pub(super) fn is_done(&self) -> bool {
        self.active == 0
    }

    /// Messages that were due before `now_ns` and are not sent.
    pub(super) fn unsent(&self, now_ns: u64, schedule: &Schedule) -> u64 {
        let until_ns = schedule.since_start_ns(now_ns);
        let active = self.lines.iter().filter(|line| line.active);
        active.map(|line| line.timetable.due_before(until_ns)).sum()
    }
}
