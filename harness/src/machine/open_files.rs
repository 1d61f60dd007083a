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
