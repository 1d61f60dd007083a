use super::*;
use crate::engine::{Clock, Schedule};

fn bench(questions: Option<u32>) -> (Connect, Peer, Context) {
    let target = ([127, 0, 0, 1], 9001).into();
    let (connect, mut peers) = Connect::new(Topic::xhr(target), questions, 3..4);
    let mut context = Context::new(target, Clock::start());
    context.schedule = Schedule { start_ns: 0, measure_ns: 0, end_ns: u64::MAX, give_up_ns: u64::MAX };
    context.sending = true;
    (connect, peers.remove(0), context)
}

/// Has the next question answered: its request.
fn exchange(connect: &mut Connect, peer: &mut Peer, context: &mut Context) -> String {
    connect.produce(peer, context);
    let request = String::from_utf8(std::mem::take(&mut context.out)).expect("text");
    let count = request.strip_prefix("GET /xhr?count=").and_then(|rest| rest.split(' ').next());
    let count: u64 = count.expect("a count").parse().expect("a number");
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{{\"count\":{}}}", count - 1).into_bytes();
    let at_ns = context.clock.now_ns();
    connect.receive(peer, &mut answer, at_ns, context).expect("an answer");
    request
}

#[test]
fn a_visit_has_its_questions_and_asks_for_its_end_with_the_last() {
    let (mut connect, mut peer, mut context) = bench(Some(2));
    let mut asked = Vec::new();
    for visit in 0..2 {
        assert!(!exchange(&mut connect, &mut peer, &mut context).contains("Connection: close"));
        assert!(!connect.is_over(&peer), "visit {visit} is not over");
        // A visit that has begun is brought to its end.
        context.sending = visit == 0;
        let last = exchange(&mut connect, &mut peer, &mut context);
        assert!(last.contains("Connection: close"), "{last}");
        connect.produce(&mut peer, &mut context);
        assert_eq!((context.out.len(), connect.leaving), (0, 1));
        assert!(connect.is_over(&peer));
        connect.renew(&mut peer);
        assert_eq!(connect.leaving, 0);
        asked.push(last);
    }
    assert_ne!(asked[0], asked[1], "another count in each");
    assert_eq!((context.tally.messages, context.tally.errors.len()), (4, 0));
}

#[test]
fn a_storm_keeps_its_connections_until_the_time_is_over() {
    let (mut connect, mut peer, mut context) = bench(None);
    for _ in 0..3 {
        assert!(!exchange(&mut connect, &mut peer, &mut context).contains("Connection: close"));
        assert!(!connect.is_over(&peer));
    }
    context.sending = false;
    connect.produce(&mut peer, &mut context);
    assert!(context.out.is_empty() && connect.is_done(&context));
}

#[test]
fn what_never_came_is_told() {
    let (mut connect, mut peer, mut context) = bench(Some(1));
    connect.produce(&mut peer, &mut context);
    connect.finish(&mut context);
    assert_eq!(context.tally.errors["no answer"], 1);
    assert_eq!(context.tally.errors["a connection that the server did not end"], 1);
    connect.lost(&mut peer, true);
    assert_eq!((connect.outstanding, connect.leaving), (0, 0));
}
