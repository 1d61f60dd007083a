//! Loads of tests, and how they are run.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use loadgen::{
    Arrivals, ChatPlan, Connecting, Engine, Event, FeedPlan, FeedTransport, Kind, Load, Measurement, Phase,
    Process, Subscription, Timing, Transport, Workload, run,
};

/// A short load.
pub fn load(target: SocketAddr, threads: usize, workload: Workload) -> Load {
    let timing = Timing { warmup_s: 0.05, warmup_max_s: 0.0, seconds: 0.3, settle_s: 0.0, patience_s: 5.0 };
    let connecting = Connecting::default();
    Load {
        target,
        timing,
        threads: number(threads),
        engine: Engine::default(),
        spin: false,
        spin_us: 0,
        connecting,
        workload,
    }
}

/// An echo of text.
pub fn echo(connections: usize, pipeline: usize, payload_bytes: usize) -> Workload {
    Workload::Echo {
        connections: number(connections),
        pipeline: number(pipeline),
        messages: None,
        payload_bytes,
        kind: Kind::Text,
        stagger_bytes: 0,
        arrivals: Arrivals::default(),
    }
}

/// An echo in open loop.
pub fn open_echo(connections: usize, rate: u32, process: Process) -> Workload {
    let mut workload = echo(connections, 1, 64);
    if let Workload::Echo { arrivals, .. } = &mut workload {
        *arrivals = Arrivals { rate: NonZeroU32::new(rate), process, seed: 1 };
    }
    workload
}

/// Countdowns by XHR.
pub fn xhr(connections: usize) -> Workload {
    Workload::Xhr { connections: number(connections) }
}

/// Countdowns from this number.
pub fn countdown(clients: usize, from: u64, transport: Transport) -> Workload {
    let from = NonZeroU64::new(from).expect("tests count from one at least");
    Workload::Countdown { clients: number(clients), from, transport }
}

/// Connections of so many messages each, one after the other.
pub fn connect(connections: usize, messages: u32, transport: Transport) -> Workload {
    let messages = NonZeroU32::new(messages).expect("tests send one at least");
    Workload::Connect { connections: number(connections), messages, transport, storm: false }
}

/// A broadcast, in open loop if there is a rate.
pub fn broadcast(subscribers: usize, publishers: usize, rate: Option<u32>) -> Workload {
    Workload::Broadcast {
        subscribers: number(subscribers),
        publishers: number(publishers),
        transport: Subscription::Websocket,
        payload_bytes: 100,
        arrivals: Arrivals { rate: rate.and_then(NonZeroU32::new), ..Arrivals::default() },
    }
}

/// The same broadcast to subscribers by another transport.
pub fn by(transport: Subscription, mut workload: Workload) -> Workload {
    if let Workload::Broadcast { transport: own, .. } = &mut workload {
        *own = transport;
    }
    workload
}

/// A chat, in open loop if there is a rate.
pub fn chat(clients: usize, transport: Subscription, rate: Option<u32>) -> Workload {
    let arrivals = Arrivals { rate: rate.and_then(NonZeroU32::new), ..Arrivals::default() };
    Workload::Chat(ChatPlan { clients: number(clients), transport, payload_bytes: 100, arrivals })
}

/// Clients that fetch the feed.
pub fn feeds(clients: usize, transport: FeedTransport) -> Workload {
    Workload::Feed(FeedPlan { clients: number(clients), transport })
}

fn number(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("tests ask for one at least")
}

/// Runs a load: the measurement, and the phases as they began.
pub fn measure(load: &Load) -> (Measurement, Vec<Phase>) {
    let mut phases = Vec::new();
    let measurement = run(load, |event| match event {
        Event::Phase(phase) => phases.push(phase),
        Event::Step(_) => {}
        Event::Measurement(_) => panic!("run returns the measurement"),
    });
    (measurement.expect("a measurement"), phases)
}

/// Counts by cause, as they are in a measurement.
pub fn causes<const N: usize>(causes: [(&str, u64); N]) -> BTreeMap<String, u64> {
    causes.map(|(cause, times)| (cause.to_owned(), times)).into()
}
