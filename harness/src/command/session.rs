//! What `verify` and `run` set up before they boot anything.

use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::cli::{Place, Shared};
use crate::contender::Boot;
use crate::machine::{CoreSet, Cores, port, raise_open_files};
use crate::root::Root;

/// Beside the results, and not for committing.
pub(super) const SCRATCH: &str = ".run";

/// The project, the cores, the address, and the flag that Ctrl-C sets.
#[derive(Debug)]
pub(super) struct Session {
    /// The project.
    pub(super) root: Root,
    /// Who runs where.
    pub(super) cores: Cores,
    /// Limit of open files for a process; `None`: unlimited.
    pub(super) open_files: Option<u64>,
    /// What a person should know before anything is measured.
    pub(super) notes: Vec<String>,
    address: SocketAddr,
    interrupted: Arc<AtomicBool>,
}

impl Session {
    /// Sets it up.
    ///
    /// # Errors
    /// The project is not found, cores were asked for that we may not use, or the port is held.
    pub(super) fn begin(shared: &Shared, place: &Place) -> Result<Self> {
        let root = Root::find(shared)?;
        let asked = (place.server_cores.as_ref(), place.tool_cores.as_ref());
        let (cores, mut notes) = Cores::divide(&CoreSet::allowed()?, asked.0, asked.1)?;
        let address = SocketAddr::new(place.host, place.port);
        port::check_free(address)?;
        if let Some((first, last)) = port::in_local_range(place.port) {
            notes.push(format!(
                "port {} lies in the local port range {first}–{last}: an outgoing connection may take it; choose one \
                 outside with --port",
                place.port
            ));
        }
        let interrupted = Arc::new(AtomicBool::new(false));
        // What `nohup` and the like have the process ignore stays ignored.
        let ignored =
            procfs::process::Process::myself().and_then(|own| own.status()).map_or(0, |status| status.sigign);
        let heeded = |signal: &i32| ignored & (1 << (signal - 1)) == 0;
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(heeded) {
            // A second signal ends the harness at once; the kernel then ends its children.
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&interrupted))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&interrupted)))
                .context("failed to watch for signals")?;
        }
        Ok(Self { root, cores, open_files: raise_open_files(), notes, address, interrupted })
    }

    /// How servers are booted.
    #[must_use]
    pub(super) fn boot(&self) -> Boot<'_> {
        Boot {
            root: &self.root,
            address: self.address,
            settings: Vec::new(),
            cores: &self.cores.server,
            slowness: 1,
            processes: NonZeroUsize::MIN,
            interrupted: &self.interrupted,
        }
    }
}

/// The folder beside the results for what runs leave while they last, their journals and logs; made if need be.
///
/// # Errors
/// It cannot be made.
pub(super) fn scratch(results: &Path) -> Result<PathBuf> {
    let folder = results.join(SCRATCH);
    fs::create_dir_all(&folder).with_context(|| format!("failed to make the folder {}", folder.display()))?;
    Ok(folder)
}
