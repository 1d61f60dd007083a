use super::shared::Shared;
use crate::engine::{Context, Schedule};
use crate::http::{Answer, Answers, Receipt};
use crate::load::Arrivals;
use crate::loss::Loss;
use crate::payload::Note;
use crate::timetable::Timetable;

/// One publisher with its keep-alive connection, or with the socket that it also subscribes on.
#[derive(Debug)]
pub(super) struct Publisher {
    /// Its number among the publishers of all loops.
    number: u32,
    /// Its connection in this loop.
    pub(super) slot: usize,
    /// Does it publish on a WebSocket? Nothing answers it there: what it sends counts as accepted.
    pub(super) on_socket: bool,
    pace: Pace,
    /// Open loop only.
    timetable: Option<Timetable>,
    answers: Answers,
    /// Sequence number of its next publication.
    sequence: u32,
    /// Publications that wait for an answer.
    pub(super) unanswered: u64,
    /// Was the last publication refused, so that nobody will receive it?
    refused: bool,
    last_sent_ns: u64,
    last_id: u64,
    /// It sends no more and waits for no answer.
    finished: bool,
}

/// When publications are due.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// When the last one is answered and has reached all, or `patience_ns` is over.
    Closed { patience_ns: u64 },
    /// At times of their own, from so many publishers together.
    Open { arrivals: Arrivals, publishers: u32 },
}

impl Publisher {
    pub(super) fn new(number: u32, slot: usize, pace: Pace, on_socket: bool) -> Self {
        Self {
            number,
            slot,
            on_socket,
            pace,
            timetable: match pace {
                Pace::Closed { .. } => None,
                Pace::Open { arrivals, publishers } => {
                    Timetable::new(&arrivals, u64::from(number), u64::from(publishers))
                }
            },
            answers: Answers::default(),
            sequence: 0,
            unanswered: 0,
            refused: false,
            last_sent_ns: 0,
            last_id: 0,
            finished: false,
        }
    }

    /// When the publication is meant to be sent that is due now; `None` if none is due.
    pub(super) fn due_ns(&self, now_ns: u64, context: &Context, shared: &Shared) -> Option<u64> {
        if self.finished {
            return None;
        }
        match self.pace {
            Pace::Closed { patience_ns } => {
                let settled = self.sequence == 0 || self.refused || shared.reached_all(self.number);
                let late = now_ns >= self.last_sent_ns.saturating_add(patience_ns);
                (context.sending && self.unanswered == 0 && (settled || late)).then_some(now_ns)
            }
            Pace::Open { .. } => {
                self.intended_ns(&context.schedule).filter(|&intended_ns| intended_ns <= now_ns)
            }
        }
    }

    /// When the next publication may become due without an event, after `now_ns`.
    pub(super) fn next_tick_ns(&self, now_ns: u64, schedule: &Schedule) -> Option<u64> {
        let next_ns = match self.pace {
            Pace::Closed { patience_ns } => (self.sequence > 0 && self.unanswered == 0)
                .then(|| self.last_sent_ns.saturating_add(patience_ns)),
            Pace::Open { .. } => self.intended_ns(schedule),
        };
        // What is due already and could not be sent waits for its socket, of which an event tells.
        next_ns.filter(|&next_ns| next_ns > now_ns && !self.finished)
    }

    /// Begins the publication that is due: the note at the start of its data.
    pub(super) fn begin(
        &mut self,
        intended_ns: u64,
        now_ns: u64,
        context: &mut Context,
        shared: &Shared,
    ) -> Note {
        let gives_up = self.sequence > 0
            && !self.refused
            && matches!(self.pace, Pace::Closed { .. })
            && !shared.reached_all(self.number);
        context.tally.error("a publication that did not reach all in time", u64::from(gives_up));
        let note = Note { publisher: self.number, sequence: self.sequence, intended_ns };
        shared.begin(self.number, self.sequence);
        self.sequence = self.sequence.wrapping_add(1);
        if self.on_socket {
            accept(context, shared);
        } else {
            self.unanswered += 1;
        }
        self.refused = false;
        self.last_sent_ns = intended_ns;
        let counts = context.schedule.counts(intended_ns);
        if counts {
            context.tally.sent += 1;
            context.tally.delivery.publications += 1;
        }
        if let Some(timetable) = &mut self.timetable {
            timetable.advance();
            if counts {
                context.tally.lateness.record_ns(now_ns - intended_ns);
            }
        }
        note
    }

    /// Takes what the server answers.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        context: &mut Context,
        shared: &Shared,
    ) -> Result<(), Loss> {
        // Taken out, so that each answer can change the rest.
        let mut answers = std::mem::take(&mut self.answers);
        let read = answers.receive(bytes, |status, body| {
            self.answered(Answer::of(status, body), context, shared);
            Ok(())
        });
        self.answers = answers;
        read
    }

    fn answered(&mut self, answer: Answer, context: &mut Context, shared: &Shared) {
        if self.unanswered == 0 {
            return context.tally.error("an answer to no publication", 1);
        }
        self.unanswered -= 1;
        match answer {
            Answer::Accepted(receipt) => {
                accept(context, shared);
                self.check(receipt, context, shared);
            }
            Answer::NoReceipt => {
                accept(context, shared);
                context.tally.error("a 202 without a receipt", 1);
            }
            Answer::Refused { status } => {
                self.refused = true;
                context.tally.error(format!("a publication answered with HTTP {status}"), 1);
            }
        }
    }

    fn check(&mut self, receipt: Receipt, context: &mut Context, shared: &Shared) {
        if receipt.id <= self.last_id {
            context.tally.error("a receipt whose id is not above the last", 1);
        }
        self.last_id = receipt.id;
        // A long poll counts only while it waits, or longer if its client has gone.
        let polls = shared.polls();
        // The server may not have noticed yet that a subscriber was lost.
        if receipt.subscribers < shared.live().saturating_sub(polls) {
            context.tally.error("a receipt of fewer subscribers than there are", 1);
        } else if receipt.subscribers > shared.opened() && polls == 0 {
            context.tally.error("a receipt of more subscribers than there are", 1);
        }
    }

    /// Notes that it sends no more, if that is so.
    pub(super) fn try_finish(&mut self, context: &Context, shared: &Shared) {
        // An open loop may have its last publication answered before the measured time is over.
        let sends = context.sending || self.intended_ns(&context.schedule).is_some();
        if !sends && self.unanswered == 0 {
            self.finish(shared);
        }
    }

    /// Its connection is lost.
    pub(super) fn give_up(&mut self, shared: &Shared) {
        self.unanswered = 0;
        self.finish(shared);
    }

    /// Publications of an open loop that were due before `now_ns` and are not sent.
    pub(super) fn unsent(&self, now_ns: u64, schedule: &Schedule) -> u64 {
        let timetable = self.timetable.as_ref().filter(|_| !self.finished);
        timetable.map_or(0, |timetable| timetable.due_before(schedule.since_start_ns(now_ns)))
    }

    fn finish(&mut self, shared: &Shared) {
        if !self.finished {
            self.finished = true;
            shared.publisher_finished();
        }
    }

    /// When the next publication of an open loop is meant to be sent; `None` after the end.
    fn intended_ns(&self, schedule: &Schedule) -> Option<u64> {
        schedule.intended_ns(self.timetable.as_ref()?)
    }
}

fn accept(context: &mut Context, shared: &Shared) {
    shared.publication_accepted();
    context.tally.fan_out.accepted += 1;
}
