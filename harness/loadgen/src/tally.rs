use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{Connections, Delivery, Distribution};
use crate::series::Series;
use crate::wire::WireSums;

/// Causes may hold what a server says: beyond so many different ones the rest is counted as one.
const MAX_CAUSES: usize = 64;

/// What one event loop counted. The fields are those of [`crate::Measurement`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) connections: Connections,
    pub(crate) sent: u64,
    pub(crate) messages: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) latency: Distribution,
    pub(crate) service: Distribution,
    pub(crate) lateness: Distribution,
    pub(crate) first_item: Distribution,
    pub(crate) total: Distribution,
    pub(crate) series: Series,
    pub(crate) connect: Distribution,
    pub(crate) opening: Option<Opening>,
    pub(crate) wire: WireSums,
    pub(crate) delivery: Delivery,
    pub(crate) fan_out: FanOut,
    /// CPU time of child processes in the measured time, in µs: a loop's own is counted with its process.
    pub(crate) cpu_us: f64,
}

/// When the connections were opened that are there before the load, by the run's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Opening {
    pub(crate) first_begun_ns: u64,
    pub(crate) last_open_ns: u64,
}

impl Opening {
    fn and(self, other: Self) -> Self {
        Self {
            first_begun_ns: self.first_begun_ns.min(other.first_begun_ns),
            last_open_ns: self.last_open_ns.max(other.last_open_ns),
        }
    }
}

/// Of a broadcast, from its first publication to the end of the drain: what tells how much never arrived.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct FanOut {
    /// Publications that the server accepted.
    pub(crate) accepted: u64,
    /// Subscribers that are still there at the end.
    pub(crate) subscribers: u64,
    /// Deliveries to these, each publication once.
    pub(crate) delivered: u64,
}

impl FanOut {
    /// Deliveries that never arrived.
    pub(crate) fn missing(&self) -> u64 {
        self.accepted.saturating_mul(self.subscribers).saturating_sub(self.delivered)
    }
}

impl Tally {
    /// Counts something that went wrong `times` over.
    pub(crate) fn error(&mut self, cause: impl Into<String>, times: u64) {
        if times > 0 {
            count(&mut self.errors, cause.into(), times);
        }
    }

    /// Counts a connection that did not open.
    pub(crate) fn failed(&mut self, cause: impl Into<String>) {
        count(&mut self.connections.failed, cause.into(), 1);
    }

    /// A connection has been opened before the load.
    pub(crate) fn opened_before(&mut self, begun_ns: u64, open_ns: u64) {
        let opening = Opening { first_begun_ns: begun_ns, last_open_ns: open_ns };
        self.opening = Some(self.opening.map_or(opening, |before| before.and(opening)));
    }

    /// Adds all of another loop's.
    pub(crate) fn merge(&mut self, other: Self) {
        self.connections.asked += other.connections.asked;
        self.connections.established += other.connections.established;
        self.connections.lost += other.connections.lost;
        for (cause, times) in other.connections.failed {
            count(&mut self.connections.failed, cause, times);
        }
        for (cause, times) in other.errors {
            count(&mut self.errors, cause, times);
        }
        self.sent += other.sent;
        self.messages += other.messages;
        self.latency.merge(&other.latency);
        self.service.merge(&other.service);
        self.lateness.merge(&other.lateness);
        self.first_item.merge(&other.first_item);
        self.total.merge(&other.total);
        self.series.merge(&other.series);
        self.connect.merge(&other.connect);
        if let Some(Opening { first_begun_ns, last_open_ns }) = other.opening {
            self.opened_before(first_begun_ns, last_open_ns);
        }
        self.wire.merge(&other.wire);
        self.delivery.publications += other.delivery.publications;
        self.delivery.received += other.delivery.received;
        self.delivery.duplicates += other.delivery.duplicates;
        self.delivery.out_of_order += other.delivery.out_of_order;
        self.fan_out.accepted += other.fan_out.accepted;
        self.fan_out.subscribers += other.fan_out.subscribers;
        self.fan_out.delivered += other.fan_out.delivered;
        self.cpu_us += other.cpu_us;
    }
}

fn count(causes: &mut BTreeMap<String, u64>, cause: String, times: u64) {
    let full = causes.len() >= MAX_CAUSES && !causes.contains_key(&cause);
    *causes.entry(if full { "other causes".to_owned() } else { cause }).or_default() += times;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Flow, Flows, Wire};

    #[test]
    fn different_causes_are_bounded_and_none_is_forgotten() {
        let mut tally = Tally::default();
        for number in 0..1000 {
            tally.error(format!("closed 1000: {number}"), 1);
        }
        assert_eq!(tally.errors.len(), MAX_CAUSES + 1);
        assert_eq!(tally.errors["other causes"], 1000 - MAX_CAUSES as u64);
    }

    #[test]
    fn merging_adds_every_count() {
        let one = || {
            let mut tally = Tally { sent: 1, messages: 2, cpu_us: 16.0, ..Tally::default() };
            tally.connections = Connections { asked: 3, established: 4, lost: 5, ..Connections::default() };
            tally.failed("refused");
            tally.error("reset", 6);
            tally.latency.record_ns(7);
            tally.service.record_ns(6);
            tally.lateness.record_ns(1);
            tally.first_item.record_ns(5);
            tally.total.record_ns(70);
            tally.series.record(0, 7);
            tally.connect.record_ns(8);
            let flow = |bytes| Flow { bytes, segments: bytes / 10 };
            let flows = |bytes| Flows { to_server: flow(bytes), to_client: flow(2 * bytes) };
            tally.wire = WireSums { messages: 2, opening: flows(30), before: flows(40), whole: flows(140) };
            tally.delivery =
                Delivery { publications: 9, expected: 0, received: 10, duplicates: 11, out_of_order: 12 };
            tally.fan_out = FanOut { accepted: 13, subscribers: 14, delivered: 15 };
            tally
        };
        let (mut sum, mut other) = (one(), one());
        sum.opened_before(100, 200);
        other.opened_before(150, 300);
        sum.merge(other);
        assert_eq!(sum.opening, Some(Opening { first_begun_ns: 100, last_open_ns: 300 }));
        assert_eq!((sum.sent, sum.messages, sum.cpu_us), (2, 4, 32.0));
        assert_eq!((sum.connections.asked, sum.connections.established, sum.connections.lost), (6, 8, 10));
        assert_eq!((sum.connections.failed["refused"], sum.errors["reset"]), (2, 12));
        assert_eq!((sum.latency.count(), sum.connect.count(), sum.first_item.count()), (2, 2, 2));
        assert_eq!((sum.service.count(), sum.lateness.count(), sum.total.count()), (2, 2, 2));
        assert_eq!(sum.series.over(1).1, [2]);
        assert_eq!(
            sum.delivery,
            Delivery { publications: 18, expected: 0, received: 20, duplicates: 22, out_of_order: 24 }
        );
        assert_eq!(sum.fan_out.missing(), 26 * 28 - 30);
        let flow = |bytes| Flow { bytes, segments: bytes / 10 };
        let opening = Flows { to_server: flow(60), to_client: flow(120) };
        let wire = Wire { messages: 4, to_server: flow(200), to_client: flow(400), opening };
        assert_eq!(sum.wire.measured(), Some(wire));
    }
}
