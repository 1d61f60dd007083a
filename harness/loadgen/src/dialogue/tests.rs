use framing::{Header, Parser, apply_mask};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::engine::{Clock, Schedule};

fn context() -> Context {
    let mut context = Context::new(([127, 0, 0, 1], 9001).into(), Clock::start());
    context.schedule = Schedule { start_ns: 0, measure_ns: 0, end_ns: u64::MAX, give_up_ns: u64::MAX };
    context.sending = true;
    context
}

fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Header { fin, opcode, mask: None, payload_bytes: payload.len() as u64 }.encode(&mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

fn errors(context: &Context) -> Vec<(&str, u64)> {
    context.tally.errors.iter().map(|(cause, &times)| (cause.as_str(), times)).collect()
}

/// Has a question about `count` answered by this stream, in these pieces.
fn receive(topic: &Topic, count: u64, stream: &[u8], cuts: &[usize]) -> (Context, Result<(), Loss>) {
    let (mut context, mut dialogue) = (context(), Dialogue::new(topic));
    dialogue.ask(topic, count, false, &mut context);
    let mut stream = stream.to_vec();
    let mut cuts: Vec<_> = cuts.iter().map(|&cut| cut % (stream.len() + 1)).collect();
    cuts.sort_unstable();
    let mut done = 0;
    for cut in cuts.into_iter().chain([stream.len()]) {
        let at_ns = context.clock.now_ns();
        if let Err(loss) = dialogue.receive(topic, &mut stream[done..cut], at_ns, &mut context) {
            return (context, Err(loss));
        }
        done = cut;
    }
    (context, Ok(()))
}

#[test]
fn a_question_is_written_as_the_contract_says() {
    let mut context = context();
    Dialogue::new(&Topic::Countdown).ask(&Topic::Countdown, 7, false, &mut context);
    let key = context.out[2..6].try_into().expect("a masking key");
    apply_mask(&mut context.out[6..], key, 0);
    assert_eq!(&context.out[6..], br#"{"count":7}"#);
    context.out.clear();
    let xhr = Topic::xhr(context.target);
    Dialogue::new(&xhr).ask(&xhr, 7, true, &mut context);
    let asked = "GET /xhr?count=7 HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nConnection: close\r\n\r\n";
    assert_eq!(context.out, asked.as_bytes());
}

#[test]
fn only_the_right_answer_is_one() {
    for (topic, answer) in [(Topic::Countdown, r#"{"count":9}"#), (Topic::Echo, r#"{"count":10}"#)] {
        for (opcode, text, right) in [
            (Opcode::Text, answer, true),
            (Opcode::Binary, answer, false),
            (Opcode::Text, r#"{"count":11}"#, false),
            (Opcode::Text, r#"{"count":09}"#, false),
            (Opcode::Text, r#"{"count":}"#, false),
            (Opcode::Text, r#"{"count": 9}"#, false),
            (Opcode::Text, r#"{"count":99999999999999999999999}"#, false),
            (Opcode::Text, "", false),
        ] {
            let (context, read) = receive(&topic, 10, &frame(true, opcode, text.as_bytes()), &[]);
            assert_eq!((read, context.tally.messages), (Ok(()), u64::from(right)), "{topic:?}: {text}");
            let wrong = [("an answer that differs from the right one", 1)];
            assert_eq!(errors(&context), if right { &[][..] } else { &wrong[..] }, "{topic:?}: {text}");
        }
    }
    let twice = frame(true, Opcode::Text, br#"{"count":0}"#).repeat(2);
    let (context, read) = receive(&Topic::Countdown, 1, &twice, &[]);
    assert_eq!((read, errors(&context)), (Ok(()), vec![("an answer to no request", 1)]));
    let (_, read) = receive(&Topic::Countdown, 1, &frame(false, Opcode::Text, &[b'x'; 65]), &[]);
    assert_eq!(read, Err(Loss::TooLong));
}

#[test]
fn a_websocket_is_over_when_both_have_said_so_and_http_after_the_last_answer() {
    let mut context = context();
    let mut dialogue = Dialogue::new(&Topic::Echo);
    dialogue.leave(&mut context);
    assert!(dialogue.is_leaving() && !dialogue.is_over());
    let mut sent = Parser::of_client_frames();
    let close = sent.next(&mut context.out.as_mut_slice()).expect("a frame").expect("a whole one");
    assert_eq!((close.opcode, &*close.payload), (Opcode::Close, &[3, 0xe8][..]));
    let mut stream = frame(true, Opcode::Close, &[3, 0xe8]);
    stream.extend_from_slice(b"\xff what follows means nothing");
    assert_eq!(dialogue.receive(&Topic::Echo, &mut stream, 0, &mut context), Ok(()));
    assert!(dialogue.is_over());

    let xhr = Topic::xhr(context.target);
    let mut dialogue = Dialogue::new(&xhr);
    dialogue.ask(&xhr, 2, true, &mut context);
    assert!(dialogue.is_leaving() && !dialogue.is_over());
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"count\":1}".to_vec();
    let at_ns = context.clock.now_ns();
    assert_eq!(dialogue.receive(&xhr, &mut answer, at_ns, &mut context), Ok(()));
    assert!(dialogue.is_over());
}

proptest! {
    #[test]
    fn any_split_and_any_fragments_are_the_same_answer(fragment in 0usize..11, cuts in vec(any::<usize>(), 0..6)) {
        let (first, second) = br#"{"count":9}"#.split_at(fragment);
        let mut stream = frame(false, Opcode::Text, first);
        stream.extend(frame(true, Opcode::Ping, b"?"));
        stream.extend(frame(true, Opcode::Continuation, second));
        let (context, read) = receive(&Topic::Countdown, 10, &stream, &cuts);
        prop_assert_eq!((read, context.tally.messages), (Ok(()), 1));
    }

    #[test]
    fn arbitrary_bytes_never_panic(stream: Vec<u8>, cuts in vec(any::<usize>(), 0..6)) {
        let _ = receive(&Topic::Countdown, 1, &stream, &cuts);
        let _ = receive(&Topic::xhr(([127, 0, 0, 1], 9001).into()), 1, &stream, &cuts);
    }
}
