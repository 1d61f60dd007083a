//! Lines for people, whether anybody still reads them or not.

use std::fmt::Arguments;
use std::io::Write as _;

/// Writes a line to standard output. A reader that has had enough (`| head`) is no failure: nothing that a
/// command has to do depends on it.
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
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

pub(super) fn line(text: Arguments<'_>) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}
