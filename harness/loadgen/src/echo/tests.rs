mod open;
mod past;

use std::collections::BTreeMap;

use framing::{Header, Parser};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::engine::{Clock, Schedule};

/// What a server makes of one message.
#[derive(Debug, Clone, Copy)]
enum Reply {
    Right,
    Fragmented,
    AfterPing,
    Changed { place: usize },
    WrongKind,
    Shorter,
}

impl Reply {
    fn is_right(self) -> bool {
        matches!(self, Self::Right | Self::Fragmented | Self::AfterPing)
    }
}

fn replies() -> impl Strategy<Value = Vec<Reply>> {
    let reply = prop_oneof![
        Just(Reply::Right),
        Just(Reply::Fragmented),
        Just(Reply::AfterPing),
        (20usize..40).prop_map(|place| Reply::Changed { place }),
        Just(Reply::WrongKind),
        Just(Reply::Shorter),
    ];
    vec(reply, 1..=8)
}

const PAYLOAD_BYTES: usize = 40;

/// A context in which every moment is measured.
fn context() -> Context {
    let mut context = Context::new(([127, 0, 0, 1], 9001).into(), Clock::start());
    context.schedule = Schedule { start_ns: 0, measure_ns: 0, end_ns: u64::MAX, give_up_ns: u64::MAX };
    (context.preparing, context.sending) = (true, true);
    context
}

/// An echo that has just sent `pipeline` messages, and these.
fn begun(pipeline: usize) -> (Echo, Peer, Context, Vec<Vec<u8>>) {
    let (mut echo, mut peers) =
        Echo::new(PAYLOAD_BYTES, Kind::Text, 0, (pipeline, None), &Arrivals::default(), 3..4, 4);
    let (mut peer, mut context) = (peers.remove(0), context());
    echo.produce(&mut peer, &mut context);
    let messages = messages_of(&mut context.out);
    (echo, peer, context, messages)
}

/// Takes the messages that are to be sent.
fn messages_of(out: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let mut sent = std::mem::take(out);
    let (mut parser, mut input, mut messages) = (Parser::of_client_frames(), sent.as_mut_slice(), Vec::new());
    while let Some(chunk) = parser.next(&mut input).expect("the generator's frames are right") {
        assert!(chunk.first && chunk.last && chunk.opcode == Opcode::Text);
        messages.push(chunk.payload.to_vec());
    }
    messages
}

fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Header { fin, opcode, mask: None, payload_bytes: payload.len() as u64 }.encode(&mut bytes);
    [bytes, payload.to_vec()].concat()
}

fn encode(reply: Reply, message: &[u8]) -> Vec<u8> {
    match reply {
        Reply::Right => frame(true, Opcode::Text, message),
        Reply::Fragmented => {
            [frame(false, Opcode::Text, &message[..7]), frame(true, Opcode::Continuation, &message[7..])]
                .concat()
        }
        Reply::AfterPing => [frame(true, Opcode::Ping, b"?"), frame(true, Opcode::Text, message)].concat(),
        Reply::Changed { place } => {
            let mut message = message.to_vec();
            message[place] ^= 1;
            frame(true, Opcode::Text, &message)
        }
        Reply::WrongKind => frame(true, Opcode::Binary, message),
        Reply::Shorter => frame(true, Opcode::Text, &message[..message.len() - 1]),
    }
}

/// Hands `stream` over in pieces that end at `cuts`.
fn receive(
    echo: &mut Echo,
    peer: &mut Peer,
    context: &mut Context,
    mut stream: Vec<u8>,
    cuts: &[usize],
) -> Result<(), Loss> {
    let mut cuts: Vec<_> = cuts.iter().map(|&cut| cut % (stream.len() + 1)).collect();
    cuts.sort_unstable();
    let mut done = 0;
    for cut in cuts.into_iter().chain([stream.len()]) {
        let at_ns = context.clock.now_ns();
        echo.receive(peer, &mut stream[done..cut], at_ns, context)?;
        done = cut;
    }
    Ok(())
}

#[test]
fn each_message_is_the_next_of_its_connection() {
    let (.., messages) = begun(3);
    let stamps: Vec<_> = messages.iter().map(|message| str::from_utf8(&message[..16])).collect();
    assert_eq!(stamps, [Ok("0000030000000000"), Ok("0000030000000001"), Ok("0000030000000002")]);
    assert!(messages.iter().all(|message| message[16..] == messages[0][16..]));
}

#[test]
fn replies_in_another_order_and_to_others_are_told_apart() {
    let (mut echo, mut peer, mut context, messages) = begun(3);
    let (.., other) = begun(1);
    let mut of_another = other[0].clone();
    of_another[5] = b'7';
    let stream: Vec<u8> = [&messages[1], &messages[0], &of_another]
        .into_iter()
        .flat_map(|message| frame(true, Opcode::Text, message))
        .collect();
    receive(&mut echo, &mut peer, &mut context, stream, &[]).expect("frames");
    let expected = [("a reply out of order", 2), ("a reply to another connection", 1)];
    assert_eq!(
        context.tally.errors,
        BTreeMap::from(expected.map(|(cause, times)| (cause.to_owned(), times)))
    );
    assert!(echo.outstanding == 0 && context.tally.messages == 0);
}

#[test]
fn what_nobody_asked_for_is_counted_and_what_is_too_long_ends_it() {
    let (mut echo, mut peer, mut context, messages) = begun(1);
    let twice = encode(Reply::Right, &messages[0]).repeat(2);
    receive(&mut echo, &mut peer, &mut context, twice, &[]).expect("frames");
    assert_eq!((context.tally.messages, context.tally.errors["a message that answers none"]), (1, 1));
    let long = frame(true, Opcode::Text, &[b'x'; PAYLOAD_BYTES + 1]);
    assert_eq!(receive(&mut echo, &mut peer, &mut context, long, &[]), Err(Loss::TooLong));
}

#[test]
fn what_never_comes_is_counted_at_the_end() {
    let (mut echo, mut peer, mut context, messages) = begun(3);
    receive(&mut echo, &mut peer, &mut context, encode(Reply::Right, &messages[0]), &[]).expect("frames");
    context.sending = false;
    assert!(!echo.is_done(&context));
    echo.finish(&mut context);
    assert_eq!(context.tally.errors["no reply"], 2);
    echo.lost(&mut peer, true);
    assert!(echo.is_done(&context));
}

proptest! {
    #[test]
    fn any_split_of_the_stream_gives_the_same_counts(replies in replies(), cuts in vec(any::<usize>(), 0..6)) {
        let (mut echo, mut peer, mut context, messages) = begun(replies.len());
        let stream = replies.iter().zip(&messages).flat_map(|(&reply, message)| encode(reply, message)).collect();
        prop_assert_eq!(receive(&mut echo, &mut peer, &mut context, stream, &cuts), Ok(()));

        let count = |wanted: fn(&Reply) -> bool| replies.iter().filter(|reply| wanted(reply)).count() as u64;
        let right = count(|reply| reply.is_right());
        let mut errors = BTreeMap::new();
        for (cause, times) in [
            ("a reply of the wrong kind", count(|reply| matches!(reply, Reply::WrongKind))),
            (
                "a reply that differs from what was sent",
                count(|reply| matches!(reply, Reply::Changed { .. } | Reply::Shorter)),
            ),
        ] {
            if times > 0 {
                errors.insert(cause.to_owned(), times);
            }
        }
        prop_assert_eq!(context.tally.messages, right);
        prop_assert_eq!(context.tally.latency.count(), right);
        prop_assert_eq!(context.tally.errors, errors);
        prop_assert_eq!(context.tally.sent, replies.len() as u64);
        prop_assert_eq!(echo.outstanding, 0);
        // Two bytes of header, four of key, one of payload.
        prop_assert_eq!(context.out.len() as u64, 7 * count(|reply| matches!(reply, Reply::AfterPing)));
    }

    #[test]
    fn arbitrary_bytes_never_panic(stream: Vec<u8>, cuts in vec(any::<usize>(), 0..6)) {
        let (mut echo, mut peer, mut context, _) = begun(2);
        let _ = receive(&mut echo, &mut peer, &mut context, stream, &cuts);
        prop_assert!(echo.outstanding <= 2);
    }
}
