//! The open loop.

use std::num::NonZeroU32;

use super::super::open::MAX_OUTSTANDING;
use super::*;
use crate::load::Process;

fn arrivals(rate: u32, process: Process) -> Arrivals {
    Arrivals { rate: NonZeroU32::new(rate), process, seed: 1 }
}

/// Connections in an open loop of so long, all of which is measured, and over.
fn over(rate: u32, connections: usize, end_ns: u64) -> (Echo, Vec<Peer>, Context) {
    let arrivals = arrivals(rate, Process::Constant);
    let (mut echo, mut peers) =
        Echo::new(PAYLOAD_BYTES, Kind::Text, 0, (1, None), &arrivals, 0..connections, connections);
    let mut context = context();
    context.schedule.end_ns = end_ns;
    for peer in &mut peers {
        echo.opened(peer);
    }
    while context.clock.now_ns() < end_ns {}
    context.sending = false;
    (echo, peers, context)
}

/// Has a connection send all that it may: its messages.
fn send(echo: &mut Echo, peer: &mut Peer, context: &mut Context) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    loop {
        echo.produce(peer, context);
        if context.out.is_empty() {
            return messages;
        }
        messages.append(&mut messages_of(&mut context.out));
    }
}

#[test]
fn what_is_due_is_sent_whatever_came_of_those_before() {
    let (mut echo, mut peers, mut context) = over(1000, 2, 10_000_000);
    for peer in &mut peers {
        let messages = send(&mut echo, peer, &mut context);
        assert_eq!(messages.len(), 5);
        assert!(!echo.is_done(&context), "replies are to come");
        let replies = messages.iter().flat_map(|message| encode(Reply::Right, message)).collect();
        receive(&mut echo, peer, &mut context, replies, &[]).expect("frames");
    }
    assert!(echo.is_done(&context));
    echo.finish(&mut context);
    let tally = &context.tally;
    assert_eq!(tally.errors, BTreeMap::new());
    assert_eq!(
        (tally.sent, tally.latency.count(), tally.service.count(), tally.lateness.count()),
        (10, 10, 10, 10)
    );
    // None arrived in the measured time, which was over.
    assert_eq!(tally.messages, 0);
    // The first was meant to be sent at 0, the last at 9 ms, and 10 ms had passed.
    assert!(tally.lateness.min_ns() >= Some(990_000) && tally.lateness.max_ns() >= Some(9_990_000));
    assert!(tally.latency.min_ns() >= tally.lateness.min_ns());
}

#[test]
fn what_is_beyond_the_bound_waits_for_replies_and_is_counted_if_none_come() {
    let (mut echo, mut peers, mut context) = over(10_000_000, 1, 1_000_000);
    let peer = &mut peers[0];
    let messages = send(&mut echo, peer, &mut context);
    assert_eq!(messages.len(), MAX_OUTSTANDING);
    receive(&mut echo, peer, &mut context, encode(Reply::Right, &messages[0]), &[]).expect("frames");
    assert_eq!(send(&mut echo, peer, &mut context).len(), 1);
    assert!(!echo.is_done(&context));
    echo.finish(&mut context);
    let outstanding = MAX_OUTSTANDING as u64;
    assert_eq!(context.tally.errors["no reply"], outstanding);
    assert_eq!(context.tally.errors["a message that was not sent"], 10_000 - outstanding - 1);
}

#[test]
fn a_connection_is_due_once_for_each_of_its_times() {
    let (mut echo, mut peers, mut context) = over(1000, 3, 0);
    // It begins in an hour.
    let start_ns = 3_600_000_000_000;
    context.schedule =
        Schedule { start_ns, measure_ns: start_ns, end_ns: start_ns + 4_000_000, give_up_ns: u64::MAX };
    let mut due = Vec::new();
    for peer in &mut peers {
        echo.produce(peer, &mut context);
        echo.produce(peer, &mut context);
    }
    assert!(context.out.is_empty());
    assert_eq!(echo.next_tick_ns(&context), start_ns);
    echo.tick(start_ns - 1, &mut context, &mut due);
    assert!(due.is_empty());
    echo.tick(start_ns + 1_000_000, &mut context, &mut due);
    assert_eq!(due, [0, 1]);
    assert_eq!(echo.next_tick_ns(&context), start_ns + 2_000_000);
    assert!(!echo.is_done(&context), "nothing is outstanding, but nothing was sent");
}

#[test]
fn nothing_is_sent_and_nothing_ends_before_the_load_begins() {
    let (mut echo, mut peers, mut context) = over(1000, 1, 0);
    context.schedule = Schedule::UNKNOWN;
    assert!(send(&mut echo, &mut peers[0], &mut context).is_empty());
    assert!(!echo.is_done(&context));
}

#[test]
fn who_is_lost_is_waited_for_no_more() {
    let (mut echo, mut peers, mut context) = over(1000, 2, 10_000_000);
    for (peer, was_sent) in peers.iter_mut().zip([true, false]) {
        if was_sent {
            assert_eq!(send(&mut echo, peer, &mut context).len(), 5);
        }
        assert!(!echo.is_done(&context));
        echo.lost(peer, true);
    }
    assert!(echo.is_done(&context));
    echo.finish(&mut context);
    assert_eq!(context.tally.errors, BTreeMap::new());
}

proptest! {
    #[test]
    fn any_split_of_the_stream_gives_the_same_counts(replies in replies(), cuts in vec(any::<usize>(), 0..6)) {
        let (mut echo, mut peers, mut context) = over(10_000_000, 1, 100 * replies.len() as u64);
        let messages = send(&mut echo, &mut peers[0], &mut context);
        prop_assert_eq!(messages.len(), replies.len());
        let stream = replies.iter().zip(&messages).flat_map(|(&reply, message)| encode(reply, message)).collect();
        prop_assert_eq!(receive(&mut echo, &mut peers[0], &mut context, stream, &cuts), Ok(()));
        let right = replies.iter().filter(|reply| reply.is_right()).count() as u64;
        prop_assert_eq!((context.tally.latency.count(), context.tally.service.count()), (right, right));
        prop_assert_eq!(context.tally.errors.values().sum::<u64>(), replies.len() as u64 - right);
        prop_assert!(echo.is_done(&context));
    }
}
