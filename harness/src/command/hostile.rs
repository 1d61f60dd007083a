//! `harness verify --hostile`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use conformance::{Check, Target, assault};

use super::verify::{check, target};
use crate::cli::VerifyOptions;
use crate::contender::{Boot, Contender, Server};
use crate::machine::{Memory, Usage};
use crate::trial::{Failed, Failure};

/// What a server may hold at any moment, in its own memory and in its sockets' buffers: the replay window, 64 clients in the
/// longest messages there are, and room.
const MOST_BYTES: u64 = 256 << 20;
/// How long a client waits for the end of its connection: a hang is longer, other load on the machine shorter.
const PATIENCE: Duration = Duration::from_secs(20);

/// Boots a contender, has hostile clients at it, and runs the checks that `only` selects: what it has borne, as a sentence.
///
/// # Errors
/// It died, left a client waiting, took too much memory, or breaks the contract afterwards.
pub(super) fn withstand(
    contender: &Contender,
    boot: &Boot<'_>,
    logs: &Path,
    options: &VerifyOptions,
    only: impl Fn(&Check) -> bool,
) -> Result<String, Failed> {
    let checked = target(contender, boot);
    let boot = &Boot { settings: checked.settings(), ..boot.clone() };
    let log = logs.join(format!("{}.hostile.log", contender.name));
    let mut server = Server::boot(contender, boot, log)?;
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs(options.hostile_seconds);
    let most_bytes = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    let going = || {
        let bounded = most_bytes.load(Relaxed) <= MOST_BYTES;
        bounded && Instant::now() < deadline && !boot.interrupted.load(Relaxed)
    };
    let sent = scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                most_bytes.fetch_max(bytes_held(&server, boot.address.port()), Relaxed);
                sleep(Duration::from_millis(50));
            }
        });
        let patient = Target { patience: PATIENCE, ..checked.clone() };
        let sent = assault(&patient, options.seed..options.seed.saturating_add(options.hostile), going);
        done.store(true, Relaxed);
        sent
    });
    if boot.interrupted.load(Relaxed) {
        return Err(Failure::Interrupted.into());
    }
    let broke = |what: String| Failure::BrokeContract { checks: vec![what] };
    let said = sent.as_ref().err().map(ToString::to_string).unwrap_or_default();
    if let Some(status) = server.ended() {
        return Err(server.failed(broke(format!("it ended under hostile clients: {status}; {said}"))));
    }
    let sent = sent.map_err(|_| server.failed(broke(said)))?;
    let most_mib = most_bytes.into_inner().div_ceil(1 << 20);
    let seeds = format!("of the seeds from {} on", options.seed);
    if most_mib > MOST_BYTES >> 20 {
        let bound = MOST_BYTES >> 20;
        return Err(
            server.failed(broke(format!("{most_mib} MiB under clients {seeds}: expected at most {bound}")))
        );
    }
    check(contender, &server, &checked, boot, only, |_, _| {})?;
    server.stop()?;
    let seconds = begun.elapsed().as_secs();
    Ok(format!(
        "{sent} hostile clients {seeds}, in {seconds} s: the same process, {most_mib} MiB at most, checks pass after"
    ))
}

fn bytes_held(server: &Server, port: u16) -> u64 {
    let memory = Usage::of_group(server.pid()).map(|usage| Memory::of(&usage, port));
    memory.map_or(0, |memory| memory.resident_bytes + memory.buffer_bytes.unwrap_or(0))
}
