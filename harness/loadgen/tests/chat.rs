//! A chat: everyone subscribes, and everyone publishes in turn.

mod server;

use framing::Opcode;
use loadgen::{Measurement, Subscription};
use server::{Do, Script, causes, chat, delivery, frame, load, measure, serve};

const CLIENTS: u64 = 6;
const BY_EACH: [Subscription; 4] =
    [Subscription::Websocket, Subscription::Sse, Subscription::LongPoll, Subscription::Mixed];

fn assert_all_arrived(measurement: &Measurement) {
    let delivery = measurement.delivery.expect("a chat");
    assert_eq!(measurement.errors, causes([]));
    assert_eq!((measurement.connections.established, measurement.connections.lost), (CLIENTS, 0));
    assert_eq!(delivery.expected, measurement.sent * CLIENTS);
    assert_eq!((delivery.received, delivery.duplicates, delivery.out_of_order), (delivery.expected, 0, 0));
    assert!(measurement.messages > 0);
}

#[test]
fn what_each_says_reaches_all() {
    for transport in BY_EACH {
        for threads in [1, 2, 16] {
            let target = serve(Script::default());
            let (measurement, _) = measure(&load(target, threads, chat(CLIENTS as usize, transport, None)));
            assert_all_arrived(&measurement);
            assert!(measurement.sent > 10, "{transport}: a loop sleeps that should have been woken");
        }
    }
}

#[test]
fn an_open_loop_has_each_publish_in_turn() {
    for transport in BY_EACH {
        let mut load = load(serve(Script::default()), 2, chat(CLIENTS as usize, transport, Some(400)));
        load.timing.warmup_s = 0.0;
        let (measurement, _) = measure(&load);
        assert_all_arrived(&measurement);
        assert_eq!(measurement.sent, 120);
        assert_eq!(measurement.lateness.map(|lateness| lateness.count()), Some(120));
    }
}

#[test]
fn what_is_said_on_a_socket_that_closes_is_missed_and_the_rest_goes_on() {
    let script = Script {
        deliver: Box::new(|id, subscriber, data| {
            Do::Send(match (id, subscriber) {
                (50, 4) => frame(Opcode::Close, b"\x03\xf5fell too far behind"),
                (51.., 4) => Vec::new(),
                _ => delivery(id, data),
            })
        }),
        ..Script::default()
    };
    let mut load = load(serve(script), 1, chat(CLIENTS as usize, Subscription::Websocket, Some(1000)));
    load.timing.patience_s = 1.0;
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.errors.get("closed 1013: fell too far behind"), Some(&1));
    assert_eq!((measurement.connections.established, measurement.connections.lost), (CLIENTS, 1));
    assert!(measurement.messages > 1000, "the others go on: {}", measurement.messages);
}

#[test]
fn a_message_that_the_server_drops_is_missed_by_all() {
    let script = Script {
        deliver: Box::new(|id, _, data| Do::Send(if id == 50 { Vec::new() } else { delivery(id, data) })),
        ..Script::default()
    };
    let mut load = load(serve(script), 1, chat(CLIENTS as usize, Subscription::Websocket, Some(1000)));
    load.timing.patience_s = 0.5;
    let (measurement, _) = measure(&load);
    assert_eq!(measurement.errors, causes([("a delivery that never came", CLIENTS)]));
}
