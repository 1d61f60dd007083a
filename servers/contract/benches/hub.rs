//! What the hub itself costs: a publication, and its delivery to each subscriber, without any socket or task.

use std::hint::black_box;
use std::num::NonZeroUsize;

use bytes::Bytes;
use contract::{App, Limits, Settings};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn app() -> App<Bytes> {
    let settings = Settings {
        host: std::net::Ipv4Addr::LOCALHOST.into(),
        port: 0,
        workers: NonZeroUsize::MIN,
        processes: NonZeroUsize::MIN,
        limits: Limits::default(),
        timing: contract::Timing::default(),
    };
    App::new("bench", ("none", "0"), &settings, |json| json)
}

/// One publication to so many subscribers, one element a delivery.
fn deliveries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hub/delivery");
    for subscribers in [1, 100, 10_000_u64] {
        let app = app();
        let text = "x".repeat(128);
        let mut all: Vec<_> = (0..subscribers).map(|_| app.hub().subscribe(None)).collect();
        group.throughput(Throughput::Elements(subscribers));
        group.bench_function(subscribers.to_string(), |bencher| {
            bencher.iter(|| {
                app.hub().publish(None, &text);
                for subscription in &mut all {
                    black_box(subscription.try_next().expect("it never lags"));
                }
            });
        });
    }
    group.finish();
}

/// A publication to nobody, by its length: the encoding.
fn publications(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hub/publication");
    for bytes in [128, 65_536] {
        let app = app();
        let text = "x".repeat(bytes);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(bytes.to_string(), |bencher| bencher.iter(|| app.hub().publish(None, &text)));
    }
    group.finish();
}

criterion_group!(benches, deliveries, publications);
criterion_main!(benches);
