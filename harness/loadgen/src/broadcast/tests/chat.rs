//! Publishers that are subscribers.

use super::*;

#[test]
fn in_a_chat_each_publishes_on_its_own_socket_and_nothing_answers() {
    let mut bench = Bench::new(CLOSED);
    let target = bench.context.target;
    let shared = Arc::new(Shared::new(2, vec![Waker::new().expect("an eventfd")]));
    let fan_out = FanOut { publishers: 2, is_chat: true, ..bench.fan_out };
    (bench.broadcast, bench.peers) = Broadcast::new(0, 1, &Plan { target, fan_out, pace: CLOSED }, shared);
    assert_eq!(bench.peers.len(), 2);
    bench.peers.iter_mut().for_each(|peer| bench.broadcast.opened(peer));
    let mut data = Vec::new();
    for peer in [0, 1] {
        bench.broadcast.produce(&mut bench.peers[peer], &mut bench.context);
        let mut frames = framing::Parser::of_client_frames();
        let mut sent = std::mem::take(&mut bench.context.out);
        let mut input = sent.as_mut_slice();
        let chunk = frames.next(&mut input).expect("a frame").expect("all of it");
        assert!(chunk.first && chunk.last && chunk.opcode == Opcode::Text && input.is_empty());
        data.push(String::from_utf8(chunk.payload.to_vec()).expect("text"));
    }
    assert_eq!(bench.context.tally.fan_out.accepted, 2);
    assert!(!bench.is_due(), "neither has reached all");
    for (id, data) in (1..).zip(&data) {
        bench.receive(0, delivery(id, data), &[]).expect("a delivery");
        bench.receive(1, delivery(id, data), &[]).expect("a delivery");
    }
    assert!(bench.is_due(), "both have reached all");
    assert_eq!((bench.errors(), bench.context.tally.delivery.received), (vec![], 4));
    bench.context.sending = false;
    bench.is_due();
    assert!(bench.broadcast.is_done(&bench.context));
}
