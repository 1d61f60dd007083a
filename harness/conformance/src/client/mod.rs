//! A raw client: each layer can be told to send what the standards forbid, and waits no longer than the
//! target's patience for an answer.

pub(crate) mod calls;
pub(crate) mod events;
pub(crate) mod http;
pub(crate) mod socket;
pub(crate) mod websocket;

/// Bytes for a failure message: escaped, and no more than the first forty.
pub(crate) fn abbreviate(bytes: &[u8]) -> String {
    const SHOWN_BYTES: usize = 40;
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
    let more = if bytes.len() > SHOWN_BYTES { "…" } else { "" };
    format!("{} bytes \"{}{more}\"", bytes.len(), shown.escape_ascii())
}

/// Where two payloads part, as the end of a sentence; empty if one does not begin like the other at all.
pub(crate) fn difference(expected: &[u8], observed: &[u8]) -> String {
    match expected.iter().zip(observed).position(|(a, b)| a != b) {
        Some(0) | None => String::new(),
        Some(at) => format!(", of which byte {at} is {:#04x} instead of {:#04x}", observed[at], expected[at]),
    }
}

#[cfg(test)]
mod tests {
    use super::{abbreviate, difference};

    #[test]
    fn the_first_difference_is_found() {
        assert_eq!(difference(b"abc", b"abd"), ", of which byte 2 is 0x64 instead of 0x63");
        assert_eq!(difference(b"abc", b"ab"), "");
    }

    #[test]
    fn bytes_are_escaped_and_cut() {
        assert_eq!(abbreviate(b"a\n\xff"), r#"3 bytes "a\n\xff""#);
        let long = abbreviate(&[b'x'; 1000]);
        assert_eq!(long, format!("1000 bytes \"{}…\"", "x".repeat(40)));
    }
}
