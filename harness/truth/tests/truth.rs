//! The load generator against known truths, as far as a noisy machine cannot break them: noise only ever adds.

mod support;

use loadgen::Distribution;
use support::Server;

const SHARES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];
/// What a histogram of three digits may be off by.
const RESOLUTION: f64 = 0.001;

fn us(distribution: &Distribution, share: f64) -> f64 {
    distribution.quantile_ns(share).expect("there are replies") as f64 / 1e3
}

#[test]
fn in_an_open_loop_each_message_is_counted_and_none_is_reported_faster_than_it_was() {
    for delay in ["constant:2000", "two-point:1000:10000:0.1", "uniform:500:1500", "exponential:2000"] {
        let server = Server::start(&["--delay", delay]);
        let measurement = server.measure("echo --rate 500 --connections 16 --seconds 1");
        let given = server.end();
        assert_eq!((measurement.sent, measurement.latency.count(), given.messages()), (500, 500, 500));
        let service = measurement.service.expect("an open loop has service times");
        for share in SHARES {
            for reported in [&measurement.latency, &service] {
                let (reported, given) = (us(reported, share), us(&given.delays, share));
                assert!(reported >= given * (1.0 - RESOLUTION), "{delay}, {share}: {reported} of {given} µs");
            }
        }
    }
}

#[test]
fn in_a_closed_loop_all_are_counted_but_those_that_came_after_the_end() {
    let server = Server::start(&["--delay", "exponential:2000"]);
    let measurement = server.measure("echo --connections 4 --seconds 1");
    let given = server.end();
    assert_eq!(measurement.latency.count(), measurement.messages);
    // On each of four connections one reply is out at the end, and one more if the load generator was woken too late to see it.
    let late = given.messages() - measurement.messages;
    assert!(late <= 8, "{late} of {}", given.messages());
    let mean_of_all = given.delays.mean_ns().expect("replies") * given.messages() as f64;
    let most = late as f64 * given.delays.max_ns().expect("replies") as f64;
    let reported = measurement.latency.mean_ns().expect("replies") * measurement.messages as f64;
    assert!(reported >= (mean_of_all - most) * (1.0 - RESOLUTION), "{reported} of {mean_of_all} ns");
}

#[test]
fn steps_of_the_countdown_are_delayed_as_messages_are_and_answered_right() {
    let server = Server::start(&["--delay", "constant:2000"]);
    let measurement = server.measure("xhr --connections 4 --seconds 0.5");
    let given = server.end();
    assert!(measurement.messages > 0 && measurement.messages <= given.messages());
    for share in SHARES {
        let reported = us(&measurement.latency, share);
        assert!(reported >= 2000.0 * (1.0 - RESOLUTION), "{share}: {reported} µs");
    }
}

#[test]
fn the_percentiles_of_two_points_fall_on_their_two_sides() {
    let server = Server::start(&["--delay", "two-point:1000:100000:0.1", "--seed", "7"]);
    let measurement = server.measure("echo --rate 200 --connections 64 --seconds 2");
    let given = server.end();
    for distribution in [&given.delays, &measurement.latency] {
        assert!(us(distribution, 0.5) >= 1000.0 * (1.0 - RESOLUTION));
        assert!(us(distribution, 0.99) >= 100_000.0 * (1.0 - RESOLUTION));
    }
    // Half of all messages wait 99 ms less than the longest.
    assert!(us(&measurement.latency, 0.5) < 50_000.0, "{}", us(&measurement.latency, 0.5));
}

#[test]
fn an_open_loop_shows_a_stall_that_a_closed_loop_hides() {
    let server = Server::start(&["--stall-ms", "200"]);
    let open = server.measure("echo --rate 1000 --connections 16 --seconds 2");
    let closed = server.measure("echo --connections 1 --seconds 2");
    let given = server.end();
    assert!(given.stalls >= 3 && given.stalled_us >= 200e3 * given.stalls as f64, "{given:?}");
    // A fifth of the messages come due in a stall: the latest of a hundred waited for nine tenths of it.
    assert!(us(&open.latency, 0.99) >= 100_000.0, "{}", us(&open.latency, 0.99));
    // One message waits for each stall, of thousands.
    assert!(us(&closed.latency, 0.5) < 20_000.0, "{}", us(&closed.latency, 0.5));
    let stalled = us(&closed.latency, 1.0);
    assert!(stalled >= 100_000.0, "the longest does show it: {stalled}");
}

#[test]
fn what_is_burnt_is_what_was_asked_for_or_more() {
    let server = Server::start(&["--burn-ns", "50000"]);
    let measurement = server.measure("echo --connections 2 --seconds 0.5");
    let given = server.end();
    assert!(given.burnt_us >= 50.0 * given.messages() as f64, "{} µs", given.burnt_us);
    // It is within the delay, and so within what is reported.
    assert!(us(&measurement.latency, 0.0) >= 50.0 * (1.0 - RESOLUTION));
}
