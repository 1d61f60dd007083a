//! `harness crowd`.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use conformance::{Moment, PUBLICATION_BYTES, Target};
use contract::{Limits, Timing};

use super::kept::{Page, read_kept, write_kept};
use super::output::out;
use super::session::{Session, scratch};
use crate::cli::{CrowdOptions, Exit, Shared};
use crate::contender::{Boot, Contender, Server, build, find};
use crate::crowd::{Crowd, Crowds};
use crate::machine::{Memory, Usage};
use crate::root::Root;

const KEPT: &str = "crowd.json";
const PAGE: Page = Page { file: "CROWD.md", name: "the crowds", command: "harness crowd" };
/// The least part of the contract's window with which all runs in minutes.
const REPLAY_WINDOW: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");
/// For 10,000 subscribers that are sent to in turn, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// Has a crowd of subscribers of whom one in ten reads nothing at each contender, keeps what came of it, and writes the page
/// that shows it.
///
/// # Errors
/// A name is unknown, a contender does not boot, does not bear it or takes memory without bound, or the disk does not take the page.
pub fn crowd(shared: &Shared, options: &CrowdOptions) -> Result<Exit> {
    let root = Root::find(shared)?;
    let file = root.servers().join(KEPT);
    let mut kept: Crowds = read_kept(&file)?;
    if !options.check {
        let session = Session::begin(shared, &options.place)?;
        let logs = scratch(&session.root.results("results".as_ref()))?;
        for contender in find(root.servers(), &options.contenders)? {
            out!("{}", contender.name);
            let came = drive(&contender, &session.boot(), options.subscribers.get(), &logs)?;
            if let Some(beyond) = came.beyond_bound() {
                bail!("{}: {beyond}", contender.name);
            }
            kept.0.insert(contender.name, came);
            if !options.no_record {
                write_kept(&file, &kept)?;
            }
        }
    }
    if options.no_record {
        out!("{}", kept.markdown());
        return Ok(Exit::Done);
    }
    PAGE.show(root.servers(), KEPT, &kept.markdown(), options.check)
}

/// Boots a contender and has the crowd at it.
fn drive(contender: &Contender, boot: &Boot<'_>, subscribers: usize, logs: &Path) -> Result<Crowd> {
    let name = &contender.name;
    let target = Target {
        limits: Limits { replay_window: REPLAY_WINDOW, ..Limits::default() },
        // Who reads nothing is to be found out by what it lags, and by nothing else.
        timing: Timing { heartbeat_ms: 0, tcp_user_timeout_ms: 0, ..Timing::default() },
        patience: PATIENCE,
        ..Target::new(boot.address)
    };
    let boot = &Boot { settings: target.settings(), ..boot.clone() };
    let failed = |failed: crate::trial::Failed| anyhow!("{name} {}\n{}", failed.failure, failed.log_tail);
    build(contender, boot, &logs.join(format!("{name}.build.log"))).map_err(failed)?;
    let server = Server::boot(contender, boot, logs.join(format!("{name}.crowd.log"))).map_err(failed)?;
    let stuck = subscribers / 10;
    let (mut idle, mut most, mut after) = (Memory::default(), Memory::default(), Memory::default());
    let publications = conformance::crowd(&target, subscribers - stuck, stuck, |moment| {
        let Some(usage) = Usage::of_group(server.pid()) else { return };
        let memory = Memory::of(&usage, boot.address.port());
        match moment {
            Moment::Subscribed => idle = memory,
            Moment::Published => {}
            Moment::Closed => after = memory,
        }
        most.resident_bytes = most.resident_bytes.max(memory.resident_bytes);
        most.buffer_bytes = most.buffer_bytes.max(memory.buffer_bytes);
        most.sockets = most.sockets.max(memory.sockets);
    });
    let publications = publications.map_err(|failure| anyhow!("{name}: {failure}"))?;
    let framework = format!("{} {}", server.about.framework, server.about.version);
    server.stop().map_err(|failure| anyhow!("{name} {failure}"))?;
    let (replay_window, publication_bytes) = (REPLAY_WINDOW.get(), PUBLICATION_BYTES);
    Ok(Crowd {
        framework,
        subscribers,
        stuck,
        replay_window,
        publication_bytes,
        publications,
        idle,
        most,
        after,
    })
}
