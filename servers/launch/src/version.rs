/// The lock file that this very build was resolved with.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// The version of `dependency` that the package `dependent` is built with, by the lock file; "unknown" if
/// the one does not depend on the other.
///
/// Cargo tells a package its own version only, and a version typed by hand would soon be a false one.
#[must_use]
pub fn version_of(dependency: &str, dependent: &str) -> &'static str {
    find(LOCK, dependency, dependent).unwrap_or("unknown")
}

/// An entry of the lock file is a block of lines. It names its dependencies by name, and by version too
/// where the file holds several of that name.
fn find<'a>(lock: &'a str, dependency: &str, dependent: &str) -> Option<&'a str> {
    let entry = |name: &str| {
        let first = format!("name = \"{name}\"");
        lock.split("[[package]]\n").find(|entry| entry.lines().next() == Some(&first))
    };
    let named = entry(dependent)?
        .lines()
        .filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","))
        .find(|line| line.split(' ').next() == Some(dependency))?;
    match named.split_once(' ') {
        Some((_, version)) => Some(version),
        None => {
            entry(dependency)?.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    const LOCK: &str = r#"
[[package]]
name = "server"
version = "0.1.0"
dependencies = [
 "once",
 "twice 0.30.0",
]

[[package]]
name = "once"
version = "4.18.1"
dependencies = [
 "twice 0.29.0",
]

[[package]]
name = "twice"
version = "0.29.0"

[[package]]
name = "twice"
version = "0.30.0"
"#;

    #[test]
    fn a_dependency_has_the_version_its_dependent_is_locked_to() {
        assert_eq!(find(LOCK, "once", "server"), Some("4.18.1"));
        assert_eq!(find(LOCK, "twice", "server"), Some("0.30.0"));
        assert_eq!(find(LOCK, "twice", "once"), Some("0.29.0"));
    }

    #[test]
    fn what_is_not_depended_on_has_no_version() {
        assert_eq!(find(LOCK, "server", "once"), None);
        assert_eq!(find(LOCK, "once", "no-such-server"), None);
    }

    #[test]
    fn the_lock_file_of_this_workspace_is_understood() {
        assert!(super::version_of("tokio", "launch").starts_with("1."));
    }
}
