use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::engine::{Clock, Schedule};

/// One connection that has just sent a request, in a time all of which is measured.
struct Bench {
    xhr: Xhr,
    peer: Peer,
    context: Context,
}

impl Bench {
    fn new() -> Self {
        let host = ([127, 0, 0, 1], 9001).into();
        let (xhr, mut peers) = Xhr::new(host, 3..4);
        let mut context = Context::new(host, Clock::start());
        context.schedule = Schedule { start_ns: 0, measure_ns: 0, end_ns: u64::MAX, give_up_ns: u64::MAX };
        context.sending = true;
        Self { xhr, peer: peers.remove(0), context }
    }

    /// The count that is asked for.
    fn ask(&mut self) -> u64 {
        self.xhr.produce(&mut self.peer, &mut self.context);
        let request = String::from_utf8(std::mem::take(&mut self.context.out)).expect("text");
        let count = request.strip_prefix("GET /xhr?count=").expect("a request");
        count
            .strip_suffix(" HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n")
            .expect("a head")
            .parse()
            .expect("a count")
    }

    fn receive(&mut self, stream: &str, cuts: &[usize]) -> Result<(), Loss> {
        let mut stream = stream.as_bytes().to_vec();
        let mut cuts: Vec<_> = cuts.iter().map(|&cut| cut % (stream.len() + 1)).collect();
        cuts.sort_unstable();
        let mut done = 0;
        for cut in cuts.into_iter().chain([stream.len()]) {
            let at_ns = self.context.clock.now_ns();
            self.xhr.receive(&mut self.peer, &mut stream[done..cut], at_ns, &mut self.context)?;
            done = cut;
        }
        Ok(())
    }

    fn errors(&self) -> Vec<(&str, u64)> {
        self.context.tally.errors.iter().map(|(cause, &times)| (cause.as_str(), times)).collect()
    }
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} S\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn chunked(body: &str) -> String {
    let (first, second) = body.split_at(5);
    format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        second.len()
    )
}

#[test]
fn each_request_waits_for_its_answer_and_asks_for_another_count() {
    let mut bench = Bench::new();
    let mut counts = Vec::new();
    for _ in 0..100 {
        let count = bench.ask();
        bench.xhr.produce(&mut bench.peer, &mut bench.context);
        assert!(bench.context.out.is_empty(), "one is outstanding");
        bench.receive(&answer(200, &format!(r#"{{"count":{}}}"#, count - 1)), &[]).expect("an answer");
        counts.push(count);
    }
    assert!(counts.iter().all(|count| count.to_string().len() == 9 && (count - 1).to_string().len() == 9));
    counts.sort_unstable();
    counts.dedup();
    assert_eq!(counts.len(), 100);
    let tally = &bench.context.tally;
    assert_eq!((tally.sent, tally.messages, tally.latency.count()), (100, 100, 100));
    assert_eq!(bench.errors(), []);
    bench.context.sending = false;
    assert!(bench.xhr.is_done(&bench.context));
}

#[test]
fn wrong_answers_are_told_by_their_cause() {
    let mut bench = Bench::new();
    let wrong: [fn(u64) -> String; 7] = [
        |count| answer(400, &format!(r#"{{"count":{}}}"#, count - 1)),
        |count| answer(200, &format!(r#"{{"count":{count}}}"#)),
        |count| answer(200, &format!(r#"{{"count":{}}} "#, count - 1)),
        |count| answer(200, &format!(r#"{{"count":0{}}}"#, count - 1)),
        |count| answer(200, &format!(r#"{{"count": {}}}"#, count - 1)),
        |_| answer(200, r#"{"count":99999999999999999999}"#),
        |_| answer(200, ""),
    ];
    for wrong in wrong {
        let answer = wrong(bench.ask());
        bench.receive(&answer, &[]).expect("an answer");
    }
    let count = bench.ask();
    bench.receive(&answer(200, &format!(r#"{{"count":{}}}"#, count - 1)).repeat(3), &[]).expect("answers");
    assert_eq!(
        bench.errors(),
        [
            ("a request answered with HTTP 400", 1),
            ("an answer that differs from the right one", 6),
            ("an answer to no request", 2),
        ]
    );
    assert_eq!(bench.context.tally.messages, 1);
}

#[test]
fn what_never_comes_is_counted_at_the_end_and_what_is_lost_is_not() {
    let mut bench = Bench::new();
    bench.ask();
    bench.context.sending = false;
    assert!(!bench.xhr.is_done(&bench.context));
    bench.xhr.finish(&mut bench.context);
    assert_eq!(bench.errors(), [("no answer", 1)]);
    bench.xhr.lost(&mut bench.peer, true);
    assert!(bench.xhr.is_done(&bench.context));
}

proptest! {
    #[test]
    fn any_split_of_an_answer_is_right(whole: bool, cuts in vec(any::<usize>(), 0..6)) {
        let mut bench = Bench::new();
        for _ in 0..2 {
            let body = format!(r#"{{"count":{}}}"#, bench.ask() - 1);
            let stream = if whole { answer(200, &body) } else { chunked(&body) };
            prop_assert_eq!(bench.receive(&stream, &cuts), Ok(()));
        }
        prop_assert_eq!(bench.errors(), []);
        prop_assert_eq!((bench.context.tally.messages, bench.xhr.outstanding), (2, 0));
    }

    #[test]
    fn arbitrary_bytes_never_panic(stream: Vec<u8>, http: bool, cuts in vec(any::<usize>(), 0..6)) {
        let mut bench = Bench::new();
        bench.ask();
        let start = if http { "HTTP/1.1 200 OK\r\nContent-Length: " } else { "" };
        let stream = start.to_owned() + &String::from_utf8_lossy(&stream);
        let _ = bench.receive(&stream, &cuts);
        prop_assert!(bench.xhr.outstanding <= 1);
    }
}
