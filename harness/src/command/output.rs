//! Lines for people, whether anybody still reads them or not.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};
use std::sync::OnceLock;

/// Why standard output did not take something.
static LOST: OnceLock<String> = OnceLock::new();

/// Writes a line to standard output. A reader that has had enough (`| head`) is no failure: nothing that a
/// command has to do depends on it. A full disk is one, see [`lost`].
macro_rules! out {
    ($($text:tt)*) => { $crate::command::output::line(format_args!($($text)*)) };
}
pub(super) use out;

/// The same to standard error.
macro_rules! err {
    ($($text:tt)*) => { $crate::command::output::error_line(format_args!($($text)*)) };
}
pub(super) use err;

/// Writes a line to standard error.
pub fn error_line(text: Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes text that has its own line ends to standard output.
pub(super) fn text(text: &str) {
    let mut stdout = std::io::stdout().lock();
    note(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
}

pub(super) fn line(text: Arguments<'_>) {
    let mut stdout = std::io::stdout().lock();
    note(writeln!(stdout, "{text}").and_then(|()| stdout.flush()));
}

fn note(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error.to_string());
    }
}

/// Why something that was written to standard output did not get there; `None` if all did, or nobody reads it.
#[must_use]
pub fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}
