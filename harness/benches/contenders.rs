//! A round trip, and a fan-out to a hundred subscribers, of each contender as the binary that `harness run` boots.
//!
//! They show what a change did to one contender (`--save-baseline`, `--baseline`). Who is faster than whom is asked of
//! `harness run`, which takes contenders in random order, on a fresh process each time, and tells what is noise.
//! `CONTENDERS="actix hyper"` builds and boots these alone.

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use criterion::{Criterion, Throughput};
use harness::cli::Shared;
use harness::contender::{Boot, Contender, Server, build, find};
use harness::machine::{CoreSet, Cores};
use harness::root::Root;
use harness::trial::Failed;
use rustix::thread::sched_setaffinity;
use tokio_tungstenite::tungstenite::client::client_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

const SUBSCRIBERS: usize = 100;
const ECHO_BYTES: usize = 64;
const PUBLICATION_BYTES: usize = 128;
/// Nothing takes so long: a server that does not answer ends the bench.
const PATIENCE: Duration = Duration::from_secs(10);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn main() -> Result<()> {
    let mut root = Root::find(&Shared { root: None, servers: "servers".into() })?;
    // Benches lie in a folder below that of the programs.
    root.bin = root.bin.parent().context("the folder of built programs has no parent")?.to_owned();
    let (cores, _) = Cores::divide(&CoreSet::allowed()?, None, None)?;
    let boot = Boot {
        root: &root,
        address: free_address()?,
        settings: Vec::new(),
        cores: &cores.server,
        slowness: 1,
        processes: NonZeroUsize::MIN,
        interrupted: &INTERRUPTED,
    };
    let logs = tempfile::tempdir().context("failed to make a folder for logs")?;
    let names: Vec<String> =
        env::var("CONTENDERS").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let built: Vec<Contender> = find(root.servers(), &names)?
        .into_iter()
        .filter(|contender| match build(contender, &boot, &logs.path().join("build.log")) {
            Ok(()) => true,
            Err(failed) => {
                skip(contender, &failed);
                false
            }
        })
        .collect();

    // Only now: a build may have every core.
    sched_setaffinity(None, &cores.tool.to_cpu_set()).context("failed to leave the server its cores")?;
    let config =
        Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    let mut criterion = config.configure_from_args();
    for contender in &built {
        bench(&mut criterion, contender, &boot, logs.path())?;
    }
    criterion.final_summary();
    Ok(())
}

fn bench(criterion: &mut Criterion, contender: &Contender, boot: &Boot<'_>, logs: &Path) -> Result<()> {
    let server = match Server::boot(contender, boot, logs.join("server.log")) {
        Ok(server) => server,
        Err(failed) => {
            skip(contender, &failed);
            return Ok(());
        }
    };
    let mut group = criterion.benchmark_group(&contender.name);
    if contender.serves("echo") {
        let mut client = connect(boot.address, "/ws/echo")?;
        let message = Message::binary(vec![0xa5; ECHO_BYTES]);
        group.throughput(Throughput::Elements(1));
        group.bench_function("round trip", |bencher| {
            bencher.iter(|| {
                client.send(message.clone()).expect("the server reads");
                assert_eq!(client.read().expect("the server answers"), message);
            });
        });
    }
    if contender.serves("broadcast") {
        let connect = |_| connect(boot.address, "/ws/broadcast");
        let mut subscribers = (0..SUBSCRIBERS).map(connect).collect::<Result<Vec<_>>>()?;
        let publication = Message::text("x".repeat(PUBLICATION_BYTES));
        group.throughput(Throughput::Elements(SUBSCRIBERS as u64));
        group.bench_function("fan-out to 100", |bencher| {
            bencher.iter(|| {
                subscribers[0].send(publication.clone()).expect("the server reads");
                for subscriber in &mut subscribers {
                    deliver(subscriber).expect("each subscriber gets the publication");
                }
            });
        });
    }
    group.finish();
    server.stop()?;
    Ok(())
}

fn skip(contender: &Contender, failed: &Failed) {
    eprintln!("skipped: {}: {}\n{}", contender.name, failed.failure, failed.log_tail);
}

/// Reads the next publication; heartbeats come between.
fn deliver(subscriber: &mut WebSocket<TcpStream>) -> Result<()> {
    loop {
        match subscriber.read()? {
            Message::Ping(_) => subscriber.flush()?,
            message => {
                ensure!(message.is_text() && message.len() > PUBLICATION_BYTES, "no publication: {message}");
                return Ok(());
            }
        }
    }
}

fn connect(address: SocketAddr, path: &str) -> Result<WebSocket<TcpStream>> {
    let stream = TcpStream::connect(address).with_context(|| format!("failed to connect to {address}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // By default it zeroes 128 KiB before each read, which would be most of what is measured.
    let config = WebSocketConfig::default().read_buffer_size(4096);
    let (client, _) = client_with_config(format!("ws://{address}{path}"), stream, Some(config))
        .map_err(|error| anyhow::anyhow!("no upgrade of {path}: {error}"))?;
    Ok(client)
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a free port")?;
    Ok(listener.local_addr()?)
}
