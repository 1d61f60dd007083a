mod socket;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::engine::{Clock, Schedule};

fn items() -> Vec<String> {
    (1..=500).map(|id| format!(r#"{{"id":{id},"text":"],[ \" }} {}"}}"#, "é".repeat(id % 7))).collect()
}

fn array() -> String {
    format!("[{}]", items().join(","))
}

fn answer(status: u16, media_type: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} S\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn events(items: &[String]) -> String {
    (1..).zip(items).map(|(id, item)| format!("id: {id}\ndata: {item}\n\n")).collect()
}

/// The right answer over plain HTTP.
fn right(transport: FeedTransport) -> String {
    match transport {
        FeedTransport::Websocket => panic!("its answer depends on the request"),
        FeedTransport::Xhr => answer(200, "application/json", &array()),
        FeedTransport::Sse => {
            let body = events(&items());
            let (one, other) = body.split_at(body.find("id: 7\n").expect("a seventh"));
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
                 {:x}\r\n{one}\r\n{:x}\r\n{other}\r\n0\r\n\r\n",
                one.len(),
                other.len()
            )
        }
    }
}

const BY_EACH: [FeedTransport; 2] = [FeedTransport::Xhr, FeedTransport::Sse];

/// One client, in a time all of which is measured.
struct Bench {
    feed: Feed,
    peer: Peer,
    context: Context,
}

impl Bench {
    fn new(transport: FeedTransport) -> Self {
        let target = ([127, 0, 0, 1], 9001).into();
        let fixture = Arc::new(Fixture::read(array().as_bytes()).expect("a feed"));
        let (feed, mut peers) = Feed::new(target, transport, 1, fixture);
        let mut context = Context::new(target, Clock::start());
        context.schedule = Schedule { start_ns: 0, measure_ns: 0, end_ns: u64::MAX, give_up_ns: u64::MAX };
        context.sending = true;
        Self { feed, peer: peers.remove(0), context }
    }

    fn asks(&mut self) -> String {
        self.feed.produce(&mut self.peer, &mut self.context);
        String::from_utf8(std::mem::take(&mut self.context.out)).expect("text")
    }

    fn receive(&mut self, stream: &str, cuts: &[usize]) -> Result<(), Loss> {
        let mut stream = stream.as_bytes().to_vec();
        let mut cuts: Vec<_> = cuts.iter().map(|&cut| cut % (stream.len() + 1)).collect();
        cuts.sort_unstable();
        let mut done = 0;
        for cut in cuts.into_iter().chain([stream.len()]) {
            let at_ns = self.context.clock.now_ns();
            self.feed.receive(&mut self.peer, &mut stream[done..cut], at_ns, &mut self.context)?;
            done = cut;
        }
        Ok(())
    }

    fn errors(&self) -> Vec<(&str, u64)> {
        self.context.tally.errors.iter().map(|(cause, &times)| (cause.as_str(), times)).collect()
    }
}

#[test]
fn a_feed_is_the_items_1_to_500_and_nothing_else() {
    let right = array();
    let fixture = Fixture::read(right.as_bytes()).expect("a feed");
    assert_eq!((fixture.items(), fixture.array()), (500, right.as_bytes()));
    for (place, item) in items().iter().enumerate() {
        assert_eq!(fixture.item(place), Some(item.as_bytes()));
    }
    assert_eq!(fixture.item(500), None);
    for wrong in [
        "[]".to_owned(),
        String::new(),
        right.replace(r#""id":77,"#, r#""id":78,"#),
        right.replace(r#"{"id":77,"#, r#" {"id":77,"#),
        right.replace("},{", "}, {"),
        right.clone() + " ",
        right.replace("]", ""),
        format!("[{}]", items()[..499].join(",")),
        right.strip_suffix(']').expect("an array").to_owned() + r#",{"id":501}]"#,
    ] {
        assert!(Fixture::read(wrong.as_bytes()).is_none(), "{}", &wrong[..wrong.len().min(50)]);
    }
}

#[test]
fn a_client_asks_again_when_a_feed_is_complete_and_right() {
    for (transport, path) in [(FeedTransport::Xhr, "/feed"), (FeedTransport::Sse, "/feed/sse")] {
        let mut bench = Bench::new(transport);
        for _ in 0..3 {
            assert_eq!(bench.asks(), format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n"));
            assert_eq!(bench.asks(), "", "one is outstanding");
            bench.receive(&right(transport), &[]).expect("a feed");
        }
        assert_eq!(bench.errors(), []);
        let tally = &bench.context.tally;
        assert_eq!(
            (tally.sent, tally.messages, tally.latency.count(), tally.first_item.count()),
            (3, 3, 3, 3)
        );
        bench.context.sending = false;
        assert!(bench.asks().is_empty() && bench.feed.is_done(&bench.context));
    }
}

#[test]
fn a_feed_is_the_same_split_at_every_byte() {
    for transport in BY_EACH {
        let stream = right(transport);
        let mut bench = Bench::new(transport);
        bench.asks();
        for byte in stream.as_bytes().chunks(1) {
            let at_ns = bench.context.clock.now_ns();
            let (peer, context) = (&mut bench.peer, &mut bench.context);
            bench.feed.receive(peer, &mut byte.to_vec(), at_ns, context).expect("a part of a feed");
        }
        assert_eq!((bench.errors(), bench.context.tally.messages), (vec![], 1));
        let tally = &bench.context.tally;
        let (first, last) = (tally.first_item.max_ns(), tally.latency.max_ns());
        assert!(first < last, "{transport}: the first item comes before the last: {first:?}, {last:?}");
    }
}

#[test]
fn a_feed_that_is_wrong_is_told_by_its_cause() {
    let differs = "a feed that differs from the first one fetched";
    let (json, stream) = ("application/json", "text/event-stream");
    let short = events(&items()[..499]);
    let long = events(&[items(), vec![r#"{"id":501}"#.to_owned()]].concat());
    for (transport, answered, cause) in [
        (FeedTransport::Xhr, answer(200, json, &array().replace("\"id\":9,", "\"id\":8,")), differs),
        (FeedTransport::Xhr, answer(200, json, array().trim_end_matches(']')), differs),
        (FeedTransport::Xhr, answer(200, json, &(array() + "]")), differs),
        (FeedTransport::Xhr, answer(200, json, ""), differs),
        (FeedTransport::Xhr, answer(503, json, "{}"), "a request answered with HTTP 503"),
        (FeedTransport::Xhr, answer(200, stream, &array()), "a feed of the wrong media type"),
        (FeedTransport::Sse, answer(200, stream, &short), differs),
        (FeedTransport::Sse, answer(200, stream, &long), differs),
        (
            FeedTransport::Sse,
            answer(200, stream, &events(&items()).replace("id: 9\n", "")),
            "an event that is no item",
        ),
        (
            FeedTransport::Sse,
            answer(200, stream, &events(&items()).replace("\"id\":9,", "\"id\":8,")),
            differs,
        ),
        (FeedTransport::Sse, answer(200, json, &events(&items())), "a feed of the wrong media type"),
        (FeedTransport::Sse, answer(204, json, ""), "a request answered with HTTP 204"),
    ] {
        let mut bench = Bench::new(transport);
        bench.asks();
        bench.receive(&answered, &[]).expect("an answer");
        assert_eq!((bench.errors(), bench.context.tally.messages), (vec![(cause, 1)], 0));
        assert!(!bench.asks().is_empty(), "it goes on");
        bench.receive(&right(transport), &[]).expect("a feed");
        assert_eq!((bench.errors(), bench.context.tally.messages), (vec![(cause, 1)], 1));
    }
}

#[test]
fn what_is_no_feed_at_all_loses_the_connection() {
    let too_long = "malformed answer: a body that is too long";
    for (transport, answered, cause) in [
        (FeedTransport::Xhr, "SSH-2.0-OpenSSH_9.6\r\n".to_owned(), "malformed answer: not HTTP/1.1"),
        (FeedTransport::Xhr, "HTTP/1.1 200 OK\r\n\r\n".to_owned(), "malformed answer: no Content-Length"),
        (FeedTransport::Xhr, "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n".to_owned(), too_long),
        (
            FeedTransport::Xhr,
            right(FeedTransport::Xhr).repeat(2),
            "malformed answer: an answer to no request",
        ),
        (
            FeedTransport::Sse,
            answer(200, "text/event-stream", &"x".repeat(10_000)),
            "garbage: a message longer than any that was sent",
        ),
    ] {
        let mut bench = Bench::new(transport);
        bench.asks();
        assert_eq!(bench.receive(&answered, &[]).map_err(|loss| loss.to_string()), Err(cause.to_owned()));
    }
}

#[test]
fn what_never_comes_to_its_end_is_counted_and_what_is_lost_is_not() {
    let mut bench = Bench::new(FeedTransport::Sse);
    bench.asks();
    let half = right(FeedTransport::Sse);
    bench.receive(&half[..half.len() / 2], &[]).expect("half a feed");
    bench.context.sending = false;
    assert!(!bench.feed.is_done(&bench.context));
    bench.feed.finish(&mut bench.context);
    assert_eq!(bench.errors(), [("a feed that did not come to its end", 1)]);
    bench.feed.lost(&mut bench.peer, true);
    assert!(bench.feed.is_done(&bench.context));
}

proptest! {
    #[test]
    fn any_split_of_a_feed_is_right(by_sse: bool, cuts in vec(any::<usize>(), 0..9)) {
        let transport = BY_EACH[usize::from(by_sse)];
        let mut bench = Bench::new(transport);
        for _ in 0..2 {
            bench.asks();
            prop_assert_eq!(bench.receive(&right(transport), &cuts), Ok(()));
        }
        prop_assert_eq!((bench.errors(), bench.context.tally.messages), (vec![], 2));
    }

    #[test]
    fn one_changed_byte_is_no_right_feed(by_sse: bool, place: usize, flip in 1u8..128) {
        let transport = BY_EACH[usize::from(by_sse)];
        let stream = right(transport);
        let start = stream.find("\r\n\r\n").expect("a head") + 4;
        let mut bytes = stream.into_bytes();
        let place = start + place % (bytes.len() - start);
        bytes[place] ^= flip;
        let mut bench = Bench::new(transport);
        bench.asks();
        let at_ns = bench.context.clock.now_ns();
        let read = bench.feed.receive(&mut bench.peer, &mut bytes, at_ns, &mut bench.context);
        // Some changes mean nothing, such as a chunk's size in capitals: then it is right as it is.
        let is_harmless = by_sse && (bytes[place].is_ascii_hexdigit() || bytes[place] == b'\r');
        prop_assert!(read.is_err() || bench.context.tally.messages == 0 || is_harmless);
    }

    #[test]
    fn arbitrary_bytes_never_panic(stream: String, by_sse: bool, length: usize) {
        let transport = BY_EACH[usize::from(by_sse)];
        let mut bench = Bench::new(transport);
        bench.asks();
        let start = right(transport);
        let start = String::from_utf8_lossy(&start.as_bytes()[..length % start.len()]).into_owned();
        let _ = bench.receive(&(start + &stream), &[]);
        prop_assert!(bench.feed.outstanding <= 1);
    }
}
