use std::fs;
use std::path::Path;

/// Lines of a log that explain how its process ended.
const TAIL_LINES: usize = 20;
/// Bytes that are read for them: a log of any size costs no more.
const TAIL_BYTES: usize = 8 * 1024;

/// The last lines of a log; empty if it cannot be read.
#[must_use]
pub fn log_tail(log: &Path) -> String {
    let Ok(bytes) = fs::read(log) else { return String::new() };
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
