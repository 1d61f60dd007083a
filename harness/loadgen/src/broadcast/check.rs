use std::sync::Arc;

use super::delivered::{Delivered, MAX_ENVELOPE_BYTES};
use super::order::{Order, Place};
use super::shared::Shared;
use crate::engine::Context;
use crate::payload::Note;
use crate::wrong;

/// The check of deliveries, the same whatever brings them, and what it has counted for one loop.
#[derive(Debug)]
pub(super) struct Check {
    /// Number of the loop.
    here: usize,
    shared: Arc<Shared>,
    /// Do publishers wait for deliveries?
    is_closed: bool,
    /// End of every publication's data.
    pub(super) fill: Box<[u8]>,
    /// Of this loop's subscribers that are open: how many, and the sums of theirs.
    pub(super) live: u64,
    pub(super) delivered: u64,
    pub(super) settled: u64,
}

/// What is known of one subscriber.
#[derive(Debug, Default)]
pub(super) struct Record {
    order: Order,
    /// Publications that it has received, each once.
    delivered: u64,
    /// Those, and the ones that it was passed over with.
    settled: u64,
}

impl Check {
    pub(super) fn new(here: usize, shared: Arc<Shared>, is_closed: bool, fill: Box<[u8]>) -> Self {
        Self { here, shared, is_closed, fill, live: 0, delivered: 0, settled: 0 }
    }

    /// Longest JSON of a publication.
    pub(super) fn max_json_bytes(&self) -> usize {
        MAX_ENVELOPE_BYTES + Note::BYTES + self.fill.len()
    }

    /// A subscriber is lost: what it received is no longer waited for.
    pub(super) fn forget(&mut self, record: &Record) {
        self.delivered -= record.delivered;
        self.settled = self.settled.saturating_sub(record.settled);
    }
}

/// Where what one subscriber receives at a time goes.
pub(super) struct Sink<'a> {
    pub(super) check: &'a mut Check,
    pub(super) record: &'a mut Record,
    pub(super) at_ns: u64,
    pub(super) context: &'a mut Context,
}

impl Sink<'_> {
    /// A message has arrived; `None`: one that is no delivery.
    pub(super) fn deliver(&mut self, delivered: Option<Delivered>) {
        let Self { check, record, at_ns, context } = self;
        let tally = &mut context.tally;
        let Some(delivered) = delivered else {
            return tally.error(wrong::NO_DELIVERY, 1);
        };
        let counts = u64::from(delivered.note.is_some_and(|note| context.schedule.counts(note.intended_ns)));
        match record.order.note(delivered.id) {
            Place::Next { skipped } => {
                let settled = skipped.saturating_add(1);
                record.settled = record.settled.saturating_add(settled);
                check.settled = check.settled.saturating_add(settled);
            }
            Place::Late => {
                tally.delivery.out_of_order += counts;
                tally.error("a delivery out of order", 1);
            }
            Place::Again => {
                tally.delivery.duplicates += counts;
                return tally.error("a delivery that came again", 1);
            }
        }
        record.delivered += 1;
        check.delivered += 1;
        let Some(note) = delivered.note else {
            return tally.error(wrong::OTHER_DELIVERY, 1);
        };
        tally.delivery.received += counts;
        let latency_ns = at_ns.saturating_sub(note.intended_ns);
        if counts > 0 {
            tally.latency.record_ns(latency_ns);
        }
        context.arrived(*at_ns, latency_ns);
        if check.is_closed {
            check.shared.delivered(note.publisher, note.sequence, check.here);
        }
    }
}
