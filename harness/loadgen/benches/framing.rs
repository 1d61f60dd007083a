//! What framing costs a message, without a socket. A whole exchange takes some microseconds: what is below a tenth of
//! that is not worth making faster.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use framing::{Header, Opcode, Parser, apply_mask};

/// Lengths of messages, in bytes.
const SIZES: [usize; 4] = [16, 128, 4 << 10, 64 << 10];
/// What a client reads at a time.
const RECEIVE_BYTES: usize = 256 << 10;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn frame(payload: &[u8], mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    let payload_bytes = payload.len() as u64;
    Header { fin: true, opcode: Opcode::Binary, mask, payload_bytes }.encode(out);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = mask {
        apply_mask(&mut out[start..], key, 0);
    }
}

/// As many frames as a client reads at a time, and how many they are.
fn stream(size: usize, mask: Option<[u8; 4]>) -> (Vec<u8>, u64) {
    let (mut bytes, mut frames, payload) = (Vec::new(), 0, vec![0xa5; size]);
    while frames == 0 || bytes.len() + size + 14 <= RECEIVE_BYTES {
        frame(&payload, mask, &mut bytes);
        frames += 1;
    }
    (bytes, frames)
}

fn parse(mut parser: Parser, bytes: &mut [u8]) -> usize {
    let (mut input, mut read) = (bytes, 0);
    while let Ok(Some(chunk)) = parser.next(&mut input) {
        read += black_box(chunk.payload).len();
    }
    read
}

fn each_size<'c>(
    criterion: &'c mut Criterion,
    name: &str,
    mut bench: impl FnMut(&mut BenchmarkGroup<'c, criterion::measurement::WallTime>, usize),
) {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for size in SIZES {
        bench(&mut group, size);
    }
    group.finish();
}

/// Masking in place, as much as is sent of one message.
fn mask(criterion: &mut Criterion) {
    each_size(criterion, "mask", |group, size| {
        let mut payload = vec![0xa5; size];
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(size.to_string(), |bencher| {
            bencher.iter(|| apply_mask(black_box(&mut payload), black_box(KEY), 0));
        });
    });
}

/// A whole message into the send buffer: header, copy and mask.
fn encode(criterion: &mut Criterion) {
    each_size(criterion, "encode", |group, size| {
        let (payload, mut out) = (vec![0xa5; size], Vec::new());
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(size.to_string(), |bencher| {
            bencher.iter(|| {
                out.clear();
                frame(black_box(&payload), Some(black_box(KEY)), &mut out);
                black_box(&out);
            });
        });
    });
}

/// A full receive buffer of a server's frames, by a client: nothing is unmasked and nothing is copied.
fn read_as_client(criterion: &mut Criterion) {
    each_size(criterion, "read as client", |group, size| {
        let (mut bytes, frames) = stream(size, None);
        group.throughput(Throughput::Elements(frames));
        group.bench_function(size.to_string(), |bencher| {
            bencher.iter(|| parse(Parser::of_server_frames(), black_box(&mut bytes)));
        });
    });
}

/// A full receive buffer of a client's frames, by a server, which unmasks them in place. Doing so again masks them
/// again, which costs the same.
fn read_as_server(criterion: &mut Criterion) {
    each_size(criterion, "read as server", |group, size| {
        let (mut bytes, frames) = stream(size, Some(KEY));
        group.throughput(Throughput::Elements(frames));
        group.bench_function(size.to_string(), |bencher| {
            bencher.iter(|| parse(Parser::of_client_frames(), black_box(&mut bytes)));
        });
    });
}

criterion_group!(framing, mask, encode, read_as_client, read_as_server);
criterion_main!(framing);
