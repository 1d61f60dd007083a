use super::*;
use crate::engine::{Clock, Schedule};

/// One client that counts down `from`, in a time all of which is measured.
struct Bench {
    countdown: Countdown,
    peer: Peer,
    context: Context,
}

impl Bench {
    fn new(from: u64) -> Self {
        let target = ([127, 0, 0, 1], 9001).into();
        let (countdown, mut peers) = Countdown::new(Topic::xhr(target), from, 1);
        let mut context = Context::new(target, Clock::start());
        context.schedule = Schedule { start_ns: 0, measure_ns: 0, end_ns: u64::MAX, give_up_ns: u64::MAX };
        context.sending = true;
        Self { countdown, peer: peers.remove(0), context }
    }

    /// The count that is asked about, if any.
    fn ask(&mut self) -> Option<u64> {
        self.countdown.produce(&mut self.peer, &mut self.context);
        let request = String::from_utf8(std::mem::take(&mut self.context.out)).expect("text");
        let count = request.strip_prefix("GET /xhr?count=")?.split(' ').next();
        Some(count.expect("a count").parse().expect("a number"))
    }

    fn answer(&mut self, count: u64) {
        let body = format!(r#"{{"count":{count}}}"#);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let at_ns = self.context.clock.now_ns();
        let read = self.countdown.receive(&mut self.peer, &mut answer.into_bytes(), at_ns, &mut self.context);
        read.expect("an answer");
    }
}

#[test]
fn each_countdown_has_all_its_steps_and_its_time_once() {
    let mut bench = Bench::new(3);
    for countdowns in 1..=2 {
        for count in [3, 2, 1] {
            assert_eq!(bench.ask(), Some(count));
            assert_eq!(bench.ask(), None, "one is outstanding");
            bench.answer(count - 1);
        }
        let tally = &bench.context.tally;
        assert_eq!(
            (tally.messages, tally.latency.count(), tally.total.count()),
            (3 * countdowns, 3 * countdowns, countdowns)
        );
        assert!(tally.total.max_ns() >= tally.latency.max_ns());
    }
    assert_eq!(bench.context.tally.errors.len(), 0);
}

#[test]
fn one_under_way_at_the_end_is_finished_and_none_is_begun() {
    let mut bench = Bench::new(2);
    assert_eq!(bench.ask(), Some(2));
    bench.context.sending = false;
    bench.answer(1);
    assert!(!bench.countdown.is_done(&bench.context));
    assert_eq!(bench.ask(), Some(1));
    bench.answer(0);
    assert!(bench.countdown.is_done(&bench.context));
    assert_eq!((bench.ask(), bench.context.tally.total.count()), (None, 1));
}

#[test]
fn one_that_was_begun_before_the_measured_time_has_no_time() {
    let mut bench = Bench::new(1);
    bench.context.schedule.measure_ns = u64::MAX - 1;
    assert_eq!(bench.ask(), Some(1));
    bench.context.schedule.measure_ns = bench.context.clock.now_ns();
    bench.answer(0);
    assert_eq!((bench.context.tally.messages, bench.context.tally.total.count()), (1, 0));
}

#[test]
fn one_that_is_not_finished_is_an_error_and_one_that_is_lost_is_not() {
    let mut bench = Bench::new(2);
    assert_eq!(bench.ask(), Some(2));
    bench.countdown.finish(&mut bench.context);
    assert_eq!(bench.context.tally.errors["a countdown that was not finished in time"], 1);
    bench.countdown.lost(&mut bench.peer, true);
    bench.context.sending = false;
    assert!(bench.countdown.is_done(&bench.context));
}
