use super::*;

const PAST: u64 = 3;

/// An echo whose only connection has a past of so many messages, and the first of them.
fn begun(messages: Option<NonZeroU64>) -> (Echo, Peer, Context, Vec<Vec<u8>>) {
    let (mut echo, mut peers) =
        Echo::new(PAYLOAD_BYTES, Kind::Text, 1 << 17, (2, messages), &Arrivals::default(), 0..1, 1);
    let (mut peer, mut context) = (peers.remove(0), context());
    (peer.past, echo.in_their_past) = (PAST, 1);
    let first = sent(&mut echo, &mut peer, &mut context);
    (echo, peer, context, first)
}

fn sent(echo: &mut Echo, peer: &mut Peer, context: &mut Context) -> Vec<Vec<u8>> {
    echo.produce(peer, context);
    messages_of(&mut context.out)
}

/// Answers the messages so, and gives what is sent then.
fn answer(
    echo: &mut Echo,
    peer: &mut Peer,
    context: &mut Context,
    reply: Reply,
    messages: &[Vec<u8>],
) -> Vec<Vec<u8>> {
    let stream = messages.iter().flat_map(|message| encode(reply, message)).collect();
    receive(echo, peer, context, stream, &[5, 300]).expect("frames");
    sent(echo, peer, context)
}

#[test]
fn a_past_is_sent_one_by_one_and_checked_but_not_counted() {
    let (mut echo, mut peer, mut context, mut out) = begun(NonZeroU64::new(2));
    for number in 0..PAST {
        assert_eq!((out.len(), out[0].len()), (1, 512), "message {number}");
        assert_eq!(echo.unprepared(), 1, "the load waits for it");
        let reply = if number == 1 { Reply::Changed { place: 400 } } else { Reply::Right };
        out = answer(&mut echo, &mut peer, &mut context, reply, &out);
    }
    assert_eq!(echo.unprepared(), 0);
    assert_eq!(context.tally.errors["a reply that differs from what was sent"], 1);
    assert_eq!((context.tally.sent, context.tally.messages), (2, 0));

    assert_eq!(out.iter().map(Vec::len).collect::<Vec<_>>(), [PAYLOAD_BYTES; 2]);
    out = answer(&mut echo, &mut peer, &mut context, Reply::Right, &out);
    assert_eq!((context.tally.messages, context.tally.latency.count(), out.len()), (2, 2, 0));
    assert!(echo.is_done(&context), "its two messages are over");
}

#[test]
fn the_pasts_of_connections_differ_and_have_a_limit() {
    let past = |bytes| {
        let (_, peers) =
            Echo::new(PAYLOAD_BYTES, Kind::Text, bytes, (1, None), &Arrivals::default(), 0..500, 500);
        let pasts: std::collections::BTreeSet<_> = peers.iter().map(|peer| peer.past).collect();
        (pasts.first().copied(), pasts.last().copied(), pasts.len())
    };
    assert_eq!(past(0), (Some(0), Some(0), 1));
    let (_, most, different) = past(128 * 1024);
    assert!(most <= Some(256) && different > 100, "{most:?}, {different}");
}

#[test]
fn nothing_of_a_past_is_sent_before_all_connections_are_open() {
    let (mut echo, mut peer, mut context, out) = begun(None);
    context.preparing = false;
    assert!(answer(&mut echo, &mut peer, &mut context, Reply::Right, &out).is_empty());
}

#[test]
fn a_connection_that_is_lost_in_its_past_is_not_waited_for() {
    let (mut echo, mut peer, context, _) = begun(NonZeroU64::new(2));
    echo.lost(&mut peer, true);
    assert_eq!((echo.unprepared(), echo.outstanding), (0, 0));
    assert!(echo.is_done(&context));
}
