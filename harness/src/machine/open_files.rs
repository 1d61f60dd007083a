use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard one, for this process and those it starts.
/// Returns the limit then in force; `None` means there is none.
pub fn raise_open_files() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // A failure leaves the soft limit, which is then what counts.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current
}

/// Open files that a process needs besides its connections: listener, pipes, epoll, libraries.
pub const OTHER_FILES: u64 = 64;

/// Connections that a process may hold, by its limit of open files.
#[must_use]
pub fn connections_allowed(open_files: Option<u64>) -> u32 {
    let allowed = open_files.map_or(u64::MAX, |files| files.saturating_sub(OTHER_FILES));
    u32::try_from(allowed).unwrap_or(u32::MAX)
}
