//! `harness autobahn`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;

use anyhow::{Context as _, Result, bail};

use super::kept::{Page, read_kept, write_kept};
use super::output::{err, out};
use super::session::{Session, scratch};
use crate::autobahn::Autobahn;
use crate::cli::{AutobahnOptions, Exit, Shared};
use crate::contender::{Boot, Contender, Server, build, find};
use crate::root::Root;

/// Of the contenders' folder: what came of the cases, and the page that shows it.
const KEPT: &str = "autobahn.json";
const PAGE: Page = Page { file: "AUTOBAHN.md", name: "the cases", command: "harness autobahn" };
/// The longest message of the suite, 16 MiB: with the contract's own limit, the cases 9.* would show nothing else.
const ECHO_BYTES: usize = 16 << 20;

/// Runs the Autobahn cases against the contenders, keeps what came of them, and writes the page that shows it.
///
/// # Errors
/// A name is unknown, the suite does not run, a contender does not boot, or the disk does not take the page.
pub fn autobahn(shared: &Shared, options: &AutobahnOptions) -> Result<Exit> {
    let root = Root::find(shared)?;
    let file = root.servers().join(KEPT);
    let mut kept: Autobahn = read_kept(&file)?;
    if let Some(suite) = options.suite.as_ref().filter(|_| !options.check) {
        let suite = suite.canonicalize().with_context(|| format!("no program {}", suite.display()))?;
        let session = Session::begin(shared, &options.place)?;
        let boot = Boot { settings: vec![("ECHO_BYTES", ECHO_BYTES.to_string())], ..session.boot() };
        let logs = scratch(&root.results("results".as_ref()))?;
        for contender in find(root.servers(), &options.contenders)? {
            drive(&contender, &boot, &suite, &logs, &mut kept)?;
            if boot.interrupted.load(Relaxed) {
                return Ok(Exit::Interrupted);
            }
            write_kept(&file, &kept)?;
        }
    }
    PAGE.show(root.servers(), KEPT, &kept.markdown(), options.check)
}

/// Boots a contender and has the suite at it.
fn drive(
    contender: &Contender,
    boot: &Boot<'_>,
    suite: &Path,
    logs: &Path,
    kept: &mut Autobahn,
) -> Result<()> {
    let name = &contender.name;
    let failed =
        |failed: crate::trial::Failed| anyhow::anyhow!("{name} {}\n{}", failed.failure, failed.log_tail);
    build(contender, boot, &logs.join(format!("{name}.build.log"))).map_err(failed)?;
    let server = Server::boot(contender, boot, logs.join(format!("{name}.autobahn.log"))).map_err(failed)?;
    let report = logs.join(format!("{name}.autobahn"));
    // What an earlier run left would pass for what came of this one.
    let _ = fs::remove_dir_all(&report);
    out!("{name}");
    // It ends in failure if a case does, which its report says.
    let ended = Command::new(suite)
        .args(["-x", "12.*", "-x", "13.*", "-o"])
        .arg(&report)
        .arg(format!("ws://{}/ws/echo", boot.address))
        .output()
        .with_context(|| format!("failed to run {}", suite.display()))?;
    let index = report.join("index.json");
    let Ok(index) = fs::read_to_string(&index) else {
        bail!("{} left no report: {}", suite.display(), String::from_utf8_lossy(&ended.stderr));
    };
    kept.insert(name, &server.about, &index).context("malformed report of the suite")?;
    if let Err(failure) = server.stop() {
        err!("{name} {failure}");
    }
    Ok(())
}
