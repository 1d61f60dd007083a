//! Subscribers by each transport, given what servers send, right and wrong, in any pieces.

use proptest::sample::{Index, select};

use super::*;

/// The head of an event stream.
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const BY_EACH: [Subscription; 3] = [Subscription::Websocket, Subscription::Sse, Subscription::LongPoll];

fn json(id: u64, data: &str) -> String {
    format!(r#"{{"id":{id},"data":"{data}"}}"#)
}

fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

fn event(id: u64, data: &str) -> String {
    chunk(&format!("id: {id}\ndata: {}\n\n", json(id, data)))
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} S\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

impl Bench {
    /// Subscribers by this transport that are open, and a publication's data.
    fn open(subscription: Subscription) -> (Self, String) {
        let mut bench = Self::connected(subscription, CLOSED);
        for peer in 0..2 {
            let (asked, answered) = match subscription {
                Subscription::Sse => ("GET /sse", HEAD.to_owned() + &chunk("retry: 1000\n\n")),
                Subscription::LongPoll => ("GET /stats", answer(200, r#"{"publications":4}"#)),
                _ => ("", String::new()),
            };
            let end = " HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n";
            let expected = if asked.is_empty() { String::new() } else { format!("{asked}{end}") };
            assert_eq!(bench.asks(peer), expected);
            bench.receive(peer, answered.into_bytes(), &[]).expect("the right answer");
            assert!(bench.broadcast.is_open(&bench.peers[peer]));
            bench.broadcast.opened(&mut bench.peers[peer]);
        }
        bench.broadcast.opened(&mut bench.peers[2]);
        let data = bench.publish().remove(0);
        (bench, data)
    }

    /// What the subscriber sends.
    fn asks(&mut self, peer: usize) -> String {
        self.broadcast.produce(&mut self.peers[peer], &mut self.context);
        String::from_utf8(std::mem::take(&mut self.context.out)).expect("text")
    }

    /// Has the first subscriber receive these publications. Each poll is answered once it has been sent.
    fn deliver(&mut self, by: Subscription, ids: &[u64], data: &str, cuts: &[usize]) -> Result<(), Loss> {
        match by {
            Subscription::LongPoll => {
                for ids in ids.chunks(2) {
                    assert!(self.asks(0).starts_with("GET /poll?after="));
                    let all: Vec<_> = ids.iter().map(|&id| json(id, data)).collect();
                    let poll = answer(200, &format!("[{}]", all.join(",")));
                    self.receive(0, poll.into_bytes(), cuts)?;
                }
                Ok(())
            }
            Subscription::Sse => {
                let events = ids.iter().map(|&id| event(id, data)).collect::<String>();
                self.receive(0, events.into_bytes(), cuts)
            }
            _ => self.receive(0, ids.iter().flat_map(|&id| delivery(id, data)).collect(), cuts),
        }
    }

    /// All that was counted of deliveries.
    fn counted(self) -> (crate::Delivery, u64, u64, BTreeMap<String, u64>) {
        let Self { context, broadcast, .. } = self;
        (context.tally.delivery, context.tally.messages, broadcast.check.delivered, context.tally.errors)
    }
}

#[test]
fn a_loop_goes_on_when_a_publication_has_reached_all_by_each_transport() {
    for by in BY_EACH {
        let (mut bench, data) = Bench::open(by);
        bench.answer(202, r#"{"id":5,"subscribers":2}"#).expect("an answer");
        bench.deliver(by, &[5], &data, &[]).expect("a delivery");
        assert!(!bench.is_due(), "one subscriber has nothing yet");
        bench.peers.swap(0, 1);
        bench.deliver(by, &[5], &data, &[]).expect("a delivery");
        assert!(bench.is_due(), "{by}");
        assert_eq!(bench.errors(), []);
        assert_eq!((bench.context.tally.messages, bench.context.tally.delivery.received), (2, 2));
    }
}

#[test]
fn deliveries_are_counted_the_same_by_each_transport_split_at_every_byte() {
    let ids = [5, 8, 7, 7, 9];
    let counted = |by, cut| {
        let (mut bench, data) = Bench::open(by);
        bench.deliver(by, &ids, &data, &[cut]).expect("deliveries");
        bench.counted()
    };
    let whole = counted(Subscription::Websocket, 0);
    assert_eq!((whole.0.received, whole.0.duplicates, whole.0.out_of_order), (4, 1, 1));
    for by in BY_EACH {
        // Beyond the longest of the streams, so that each is split everywhere.
        for cut in 0..800 {
            assert_eq!(counted(by, cut), whole, "{by}, split at {cut}");
        }
    }
}

#[test]
fn a_subscription_that_is_answered_wrongly_is_lost_by_its_cause() {
    let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}".to_owned();
    for (by, answered, cause) in [
        (Subscription::Sse, json, "malformed answer: no event stream"),
        (Subscription::Sse, answer(503, "busy"), "HTTP 503"),
        (Subscription::Sse, answer(204, ""), "HTTP 204"),
        (Subscription::Sse, "220 smtp ready\r\n".to_owned(), "malformed answer: not HTTP/1.1"),
        (Subscription::LongPoll, answer(503, "busy"), "HTTP 503"),
        (Subscription::LongPoll, answer(204, ""), "HTTP 204"),
        (Subscription::LongPoll, answer(200, "{}"), "malformed answer: no number of publications"),
        (Subscription::LongPoll, "HTTP/1.1 200 OK\r\n\r\n".to_owned(), "malformed answer: no Content-Length"),
    ] {
        let mut bench = Bench::connected(by, CLOSED);
        bench.asks(0);
        let loss = bench.receive(0, answered.clone().into_bytes(), &[]).expect_err("a wrong answer");
        assert_eq!(loss.to_string(), cause, "{answered}");
        assert!(!bench.broadcast.is_open(&bench.peers[0]));
    }
}

#[test]
fn an_event_stream_that_ends_or_has_no_end_is_lost_by_its_cause() {
    let too_long = "garbage: a message longer than any that was sent";
    let unending = |line: &str| format!("ffffffffffffff\r\n{}", line.repeat(100_000 / line.len()));
    for (stream, cause) in [
        ("0\r\n\r\n".to_owned(), "the event stream ended"),
        ("xyz\r\n".to_owned(), "malformed answer: the chunks of the body"),
        (unending("x"), too_long),
        (unending("data: x\n"), too_long),
        (format!("fffffff\r\nid: {}\n\n", "1".repeat(100_000)), too_long),
        (format!("fffffff\r\nevent: {}\n", "x".repeat(100_000)), too_long),
    ] {
        let (mut bench, _) = Bench::open(Subscription::Sse);
        let loss = bench.receive(0, stream.clone().into_bytes(), &[]).expect_err("an end");
        assert_eq!(loss.to_string(), cause, "{}", &stream[..stream.len().min(40)]);
    }
}

#[test]
fn an_event_is_told_from_one_that_is_no_delivery() {
    for (right, changed) in
        [("id: 5\n", ""), ("id: 5", "id: 6"), ("id: 5", "id: +5"), ("id: 5", "id: 5\nevent: x")]
    {
        let (mut bench, data) = Bench::open(Subscription::Sse);
        let block = format!(":\n\nid: 5\ndata: {}\n\n", json(5, &data)).replacen(right, changed, 1);
        bench.receive(0, chunk(&block).into_bytes(), &[]).expect("an event");
        assert_eq!(bench.errors(), [("a message that is no delivery", 1)], "{changed}");
    }
}

#[test]
fn a_poll_asks_for_what_comes_after_the_newest_it_has() {
    let (mut bench, data) = Bench::open(Subscription::LongPoll);
    let polls = |bench: &mut Bench, after| {
        assert_eq!(
            bench.asks(0),
            format!("GET /poll?after={after} HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n")
        );
        assert_eq!(bench.asks(0), "", "one is outstanding");
    };
    polls(&mut bench, 4);
    bench.receive(0, answer(204, "").into_bytes(), &[]).expect("no news");
    polls(&mut bench, 4);
    let two = answer(200, &format!("[{},{}]", json(5, &data), json(6, &data)));
    bench.receive(0, two.into_bytes(), &[]).expect("two publications");
    polls(&mut bench, 6);
    // A server that was started anew cannot make it ask for all again and again.
    bench.receive(0, answer(200, &format!("[{}]", json(1, &data))).into_bytes(), &[]).expect("an answer");
    polls(&mut bench, 6);
    assert_eq!(bench.errors(), [("a delivery that came again", 1)]);
}

#[test]
fn a_poll_that_is_answered_wrongly_is_lost_by_its_cause() {
    let no_array = "malformed answer: no array of publications";
    let (_, data) = Bench::open(Subscription::LongPoll);
    let one = json(5, &data);
    for (answered, cause) in [
        (answer(200, ""), no_array),
        (answer(200, "[]"), no_array),
        (answer(200, &one), no_array),
        (answer(200, &format!("[{one}")), no_array),
        (answer(200, &format!("[{one},]")), no_array),
        (answer(200, &format!("[{one}{one}]")), no_array),
        (answer(200, &format!("[{one}] ")), no_array),
        (answer(500, "{}"), "HTTP 500"),
        (answer(204, "").repeat(2), "malformed answer: an answer to no request"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n".to_owned(),
            "malformed answer: a body that is too long",
        ),
    ] {
        let (mut bench, _) = Bench::open(Subscription::LongPoll);
        bench.asks(0);
        let loss = bench.receive(0, answered.clone().into_bytes(), &[]).expect_err("a wrong answer");
        assert_eq!(loss.to_string(), cause, "{answered}");
    }
}

#[test]
fn a_long_poll_need_not_be_waiting_to_be_counted() {
    let (mut bench, _) = Bench::open(Subscription::LongPoll);
    bench.answer(202, r#"{"id":5,"subscribers":0}"#).expect("an answer");
    assert_eq!(bench.errors(), []);
    let (mut bench, _) = Bench::open(Subscription::Sse);
    bench.answer(202, r#"{"id":5,"subscribers":1}"#).expect("an answer");
    assert_eq!(bench.errors(), [("a receipt of fewer subscribers than there are", 1)]);
}

#[test]
fn what_a_subscriber_received_before_it_was_open_is_not_waited_for() {
    let mut bench = Bench::connected(Subscription::Sse, CLOSED);
    bench.asks(0);
    let early = HEAD.to_owned() + &event(1, "x") + "xyz\r\n";
    bench.receive(0, early.into_bytes(), &[]).expect_err("no chunk");
    bench.broadcast.lost(&mut bench.peers[0], false);
    assert_eq!((bench.broadcast.check.delivered, bench.broadcast.check.settled), (0, 0));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_counts_by_each_transport(
        ids in vec(1u64..9, 1..8), cuts in vec(any::<usize>(), 0..6), by in select(&BY_EACH[..]),
    ) {
        let run = |by, cuts: &[usize]| {
            let (mut bench, data) = Bench::open(by);
            let read = bench.deliver(by, &ids, &data, cuts);
            read.map(|()| bench.counted())
        };
        let whole = run(Subscription::Websocket, &[]);
        prop_assert!(whole.is_ok());
        prop_assert_eq!(run(by, &cuts), whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic_on_any_transport(
        stream: Vec<u8>, cut: Index, by in select(&BY_EACH[..]), is_http: bool,
    ) {
        let (mut bench, data) = Bench::open(by);
        bench.asks(0);
        let start = match by {
            Subscription::Sse => event(5, &data),
            _ => answer(200, &format!("[{}]", json(5, &data))),
        };
        let cut = cut.index(start.len());
        let start = if is_http { &start.as_bytes()[..cut] } else { &[] };
        let _ = bench.receive(0, [start, &stream].concat(), &[]);
        prop_assert!(bench.context.tally.errors.len() <= 65);
    }
}
