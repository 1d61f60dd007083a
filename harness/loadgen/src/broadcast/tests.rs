mod chat;
mod subscribers;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use framing::{Header, Opcode};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::engine::{Clock, Schedule, Waker};
use crate::load::{Arrivals, FanOut, Subscription};

const PAYLOAD_BYTES: usize = 40;
const CLOSED: Pace = Pace::Closed { patience_ns: u64::MAX };

fn open(rate: u32) -> Pace {
    Pace::Open { arrivals: Arrivals { rate: NonZeroU32::new(rate), ..Arrivals::default() }, publishers: 1 }
}

/// A loop of two subscribers and a publisher, all open, in which every moment is measured.
struct Bench {
    fan_out: FanOut,
    broadcast: Broadcast,
    peers: Vec<Peer>,
    context: Context,
}

impl Bench {
    fn new(pace: Pace) -> Self {
        let mut bench = Self::connected(Subscription::Websocket, pace);
        for peer in &mut bench.peers {
            bench.broadcast.opened(peer);
        }
        bench
    }

    /// The same when TCP has connected and nothing is asked for.
    fn connected(subscription: Subscription, pace: Pace) -> Self {
        let target = ([127, 0, 0, 1], 9001).into();
        let shared = Arc::new(Shared::new(1, vec![Waker::new().expect("an eventfd")]));
        let (payload_bytes, arrivals) = (PAYLOAD_BYTES, Arrivals::default());
        let fan_out =
            FanOut { subscribers: 2, publishers: 1, subscription, payload_bytes, arrivals, is_chat: false };
        let (broadcast, peers) = Broadcast::new(0, 1, &Plan { target, fan_out, pace }, shared);
        let mut context = Context::new(target, Clock::start());
        context.schedule = Schedule { start_ns: 0, measure_ns: 0, end_ns: u64::MAX, give_up_ns: u64::MAX };
        context.sending = true;
        Self { fan_out, broadcast, peers, context }
    }

    /// Has the publisher send what is due: the data of each publication.
    fn publish(&mut self) -> Vec<String> {
        self.broadcast.produce(&mut self.peers[2], &mut self.context);
        let sent = String::from_utf8(std::mem::take(&mut self.context.out)).expect("text");
        let requests = sent.split("POST /publish HTTP/1.1\r\n").skip(1);
        requests.map(|request| request.split("\r\n\r\n").nth(1).expect("a body").to_owned()).collect()
    }

    fn receive(&mut self, peer: usize, mut stream: Vec<u8>, cuts: &[usize]) -> Result<(), Loss> {
        let mut cuts: Vec<_> = cuts.iter().map(|&cut| cut % (stream.len() + 1)).collect();
        cuts.sort_unstable();
        let mut done = 0;
        for cut in cuts.into_iter().chain([stream.len()]) {
            let at_ns = self.context.clock.now_ns();
            let bytes = &mut stream[done..cut];
            self.broadcast.receive(&mut self.peers[peer], bytes, at_ns, &mut self.context)?;
            done = cut;
        }
        Ok(())
    }

    fn answer(&mut self, status: u16, body: &str) -> Result<(), Loss> {
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} S\r\nContent-Length: {length}\r\n\r\n{body}");
        self.receive(2, answer.into_bytes(), &[])
    }

    fn is_due(&mut self) -> bool {
        let mut due = Vec::new();
        let now_ns = self.context.clock.now_ns();
        self.broadcast.tick(now_ns, &mut self.context, &mut due);
        !due.is_empty()
    }

    fn errors(&self) -> Vec<(&str, u64)> {
        self.context.tally.errors.iter().map(|(cause, &times)| (cause.as_str(), times)).collect()
    }
}

fn delivery(id: u64, data: &str) -> Vec<u8> {
    let json = format!(r#"{{"id":{id},"data":"{data}"}}"#);
    let mut bytes = Vec::new();
    let header = Header { fin: true, opcode: Opcode::Text, mask: None, payload_bytes: json.len() as u64 };
    header.encode(&mut bytes);
    [bytes, json.into_bytes()].concat()
}

#[test]
fn a_closed_loop_goes_on_when_the_last_publication_is_answered_and_has_reached_all() {
    let mut bench = Bench::new(CLOSED);
    assert!(bench.is_due());
    let data = bench.publish();
    assert_eq!(data.len(), 1);
    assert!(!bench.is_due());
    bench.receive(0, delivery(7, &data[0]), &[]).expect("a delivery");
    bench.answer(202, r#"{"id":7,"subscribers":2}"#).expect("an answer");
    assert!(!bench.is_due(), "one subscriber has nothing yet");
    bench.receive(1, delivery(7, &data[0]), &[]).expect("a delivery");
    assert!(bench.is_due());
    assert_eq!(bench.errors(), []);
    assert_eq!((bench.context.tally.messages, bench.context.tally.delivery.received), (2, 2));
}

#[test]
fn a_closed_loop_does_not_wait_for_the_lost_nor_for_what_was_refused() {
    let mut bench = Bench::new(CLOSED);
    let data = bench.publish();
    bench.receive(0, delivery(1, &data[0]), &[]).expect("a delivery");
    bench.answer(202, r#"{"id":1,"subscribers":2}"#).expect("an answer");
    bench.broadcast.lost(&mut bench.peers[1], true);
    assert!(bench.is_due());
    bench.publish();
    bench.answer(413, "{}").expect("an answer");
    assert!(bench.is_due());
    assert_eq!(bench.errors(), [("a publication answered with HTTP 413", 1)]);
    bench.context.sending = false;
    assert!(!bench.is_due());
    assert!(bench.broadcast.is_done(&bench.context));
}

#[test]
fn a_closed_loop_gives_up_after_its_patience() {
    let mut bench = Bench::new(Pace::Closed { patience_ns: 0 });
    bench.publish();
    bench.answer(202, r#"{"id":1,"subscribers":2}"#).expect("an answer");
    assert!(bench.is_due());
    assert_eq!(bench.publish().len(), 1);
    assert_eq!(bench.errors(), [("a publication that did not reach all in time", 1)]);
}

#[test]
fn an_open_loop_sends_what_is_due_whatever_came_of_those_before() {
    let mut bench = Bench::new(open(1000));
    // A thousand a second for ten milliseconds that have passed.
    bench.context.schedule.end_ns = 10_000_000;
    while bench.context.clock.now_ns() < bench.context.schedule.end_ns {}
    let data = bench.publish();
    let intended: Vec<_> = data
        .iter()
        .map(|data| Note::read(data.as_bytes().first_chunk().expect("a note")).expect("a note").intended_ns)
        .collect();
    assert_eq!(intended, (0..10).map(|place| place * 1_000_000).collect::<Vec<_>>());
    assert_eq!((bench.context.tally.sent, bench.context.tally.delivery.publications), (10, 10));
    assert_eq!(bench.context.tally.lateness.count(), 10);
    bench.context.sending = false;
    assert!(!bench.is_due());
    assert!(!bench.broadcast.is_done(&bench.context), "ten answers are to come");
    bench.broadcast.finish(&mut bench.context);
    assert_eq!(bench.errors(), [("no answer to a publication", 10)]);
}

#[test]
fn what_an_open_loop_could_not_send_is_counted() {
    let mut bench = Bench::new(open(1000));
    bench.context.schedule.end_ns = 10_000_000;
    while bench.context.clock.now_ns() < bench.context.schedule.end_ns {}
    bench.broadcast.finish(&mut bench.context);
    assert_eq!(bench.errors(), [("a publication that was not sent", 10)]);
}

#[test]
fn receipts_that_are_wrong_are_counted_by_cause() {
    let mut bench = Bench::new(open(1_000_000_000));
    bench.context.schedule.end_ns = 5;
    while bench.context.clock.now_ns() < bench.context.schedule.end_ns {}
    assert_eq!(bench.publish().len(), 5);
    let right = r#"{"id":2,"subscribers":2}"#;
    let (fewer, more) = (r#"{"id":3,"subscribers":1}"#, r#"{"id":4,"subscribers":3}"#);
    for receipt in [right, right, fewer, more, "{}"] {
        bench.answer(202, receipt).expect("an answer");
    }
    bench.answer(202, "{}").expect("an answer");
    assert_eq!(
        bench.errors(),
        [
            ("a 202 without a receipt", 1),
            ("a receipt of fewer subscribers than there are", 1),
            ("a receipt of more subscribers than there are", 1),
            ("a receipt whose id is not above the last", 1),
            ("an answer to no publication", 1),
        ]
    );
    assert_eq!(bench.context.tally.fan_out.accepted, 5);
}

#[test]
fn the_order_and_the_bytes_of_deliveries_are_checked() {
    let mut bench = Bench::new(CLOSED);
    let data = bench.publish().remove(0);
    let changed = data.replace(&data[36..], "xxxx");
    for (id, data) in [(5, &data), (8, &data), (7, &data), (7, &data), (9, &changed)] {
        bench.receive(0, delivery(id, data), &[]).expect("a delivery");
    }
    bench.receive(0, delivery(0, &data).split_off(3), &[]).expect_err("no frame");
    assert_eq!(
        bench.errors(),
        [
            ("a delivery out of order", 1),
            ("a delivery that came again", 1),
            ("a delivery that differs from what was published", 1),
        ]
    );
    let tally = &bench.context.tally;
    assert_eq!((tally.delivery.received, tally.delivery.duplicates, tally.delivery.out_of_order), (3, 1, 1));
    // The right ones: 5, 8 and 7.
    assert_eq!((tally.messages, tally.latency.count(), bench.broadcast.check.delivered), (3, 3, 4));
}

proptest! {
    #[test]
    fn any_split_of_the_stream_gives_the_same_counts(
        ids in vec(1u64..9, 1..8), cuts in vec(any::<usize>(), 0..6),
    ) {
        let run = |cuts: &[usize]| {
            let mut bench = Bench::new(CLOSED);
            let data = bench.publish().remove(0);
            let stream = ids.iter().flat_map(|&id| delivery(id, &data)).collect();
            bench.receive(0, stream, cuts).map(|()| {
                (bench.context.tally.delivery, bench.context.tally.messages, bench.context.tally.errors)
            })
        };
        let whole = run(&[]);
        let distinct = ids.iter().filter(|&&id| id >= ids[0]).collect::<std::collections::BTreeSet<_>>().len();
        prop_assert_eq!(whole.clone().map(|(_, messages, _)| messages), Ok(distinct as u64));
        prop_assert_eq!(run(&cuts), whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(stream: Vec<u8>, cuts in vec(any::<usize>(), 0..6), peer in 0usize..3) {
        let mut bench = Bench::new(CLOSED);
        let _ = bench.receive(peer, stream, &cuts);
        let errors: BTreeMap<_, _> = bench.context.tally.errors.clone();
        prop_assert!(errors.len() <= 65);
    }
}
