use super::shared::Shared;
use crate::engine::{Context, Schedule};
use crate::http::{Answer, Answers, Receipt};
use crate::loss::Loss;
use crate::payload::Note;

/// One publisher with its keep-alive connection.
#[derive(Debug)]
pub(super) struct Publisher {
    /// Its number among the publishers of all loops.
    number: u32,
    /// Its connection in this loop.
    pub(super) slot: usize,
    pace: Pace,
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
    /// So many a second from so many publishers in turn, at constant intervals.
    Open { rate: u32, publishers: u32 },
}

impl Publisher {
    pub(super) fn new(number: u32, slot: usize, pace: Pace) -> Self {
        Self {
            number,
            slot,
            pace,
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
    pub(super) fn begin(&mut self, intended_ns: u64, context: &mut Context, shared: &Shared) -> Note {
        let gives_up = self.sequence > 0
            && !self.refused
            && matches!(self.pace, Pace::Closed { .. })
            && !shared.reached_all(self.number);
        context.tally.error("a publication that did not reach all in time", u64::from(gives_up));
        let note = Note { publisher: self.number, sequence: self.sequence, intended_ns };
        shared.begin(self.number, self.sequence);
        self.sequence = self.sequence.wrapping_add(1);
        self.unanswered += 1;
        self.refused = false;
        self.last_sent_ns = intended_ns;
        if context.schedule.counts(intended_ns) {
            context.tally.sent += 1;
            context.tally.delivery.publications += 1;
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
        self.answers.receive(bytes);
        while let Some(answer) = self.answers.next()? {
            if self.unanswered == 0 {
                context.tally.error("an answer to no publication", 1);
                continue;
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
        Ok(())
    }

    fn check(&mut self, receipt: Receipt, context: &mut Context, shared: &Shared) {
        if receipt.id <= self.last_id {
            context.tally.error("a receipt whose id is not above the last", 1);
        }
        self.last_id = receipt.id;
        // The server may not have noticed yet that a subscriber was lost.
        if receipt.subscribers < shared.live() {
            context.tally.error("a receipt of fewer subscribers than there are", 1);
        } else if receipt.subscribers > shared.opened() {
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
        let Pace::Open { rate, publishers } = self.pace else { return 0 };
        let until_ns = now_ns.min(schedule.end_ns).saturating_sub(schedule.start_ns);
        if self.finished {
            return 0;
        }
        // Those of all publishers until then, and of these every `publishers`th from its number on.
        let all = (u128::from(until_ns) * u128::from(rate)).div_ceil(1_000_000_000) as u64;
        let own = all.saturating_sub(u64::from(self.number)).div_ceil(u64::from(publishers));
        own.saturating_sub(u64::from(self.sequence))
    }

    fn finish(&mut self, shared: &Shared) {
        if !self.finished {
            self.finished = true;
            shared.publisher_finished();
        }
    }

    /// When the next publication of an open loop is meant to be sent; `None` after the end.
    fn intended_ns(&self, schedule: &Schedule) -> Option<u64> {
        let Pace::Open { rate, publishers } = self.pace else { return None };
        let place = u128::from(self.sequence) * u128::from(publishers) + u128::from(self.number);
        // Each from the start, so that no rounding adds up.
        let offset_ns = place * 1_000_000_000 / u128::from(rate);
        let intended_ns = schedule.start_ns.saturating_add(u64::try_from(offset_ns).unwrap_or(u64::MAX));
        (intended_ns < schedule.end_ns).then_some(intended_ns)
    }
}

fn accept(context: &mut Context, shared: &Shared) {
    shared.publication_accepted();
    context.tally.fan_out.accepted += 1;
}
