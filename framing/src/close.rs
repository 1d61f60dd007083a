//! Close codes of RFC 6455, section 7.4.1, and of the IANA registry it founded; the body of a close frame.

use thiserror::Error;

/// Normal closure.
pub const NORMAL: u16 = 1000;
/// Protocol error.
pub const PROTOCOL: u16 = 1002;
/// A kind of data that is not accepted here.
pub const UNSUPPORTED: u16 = 1003;
/// Data that does not fit its kind: text that is not UTF-8.
pub const INVALID_PAYLOAD: u16 = 1007;
/// A message against the policy of the path.
pub const POLICY: u16 = 1008;
/// A message too big to process.
pub const TOO_BIG: u16 = 1009;
/// The server sheds this client: try again later.
pub const TRY_AGAIN_LATER: u16 = 1013;

/// What makes the payload of a close frame no close body (RFC 6455, section 5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadClose {
    /// One byte is too short for a code. Asks for close code 1002.
    #[error("a close code is two bytes, not one")]
    Length,
    /// A code that no endpoint may send (section 7.4). Asks for close code 1002.
    #[error("close code {0} may not be sent")]
    Code(u16),
    /// The reason is not UTF-8. Asks for close code 1007.
    #[error("the reason of a close is not UTF-8")]
    Reason,
}

/// The code and the reason in the payload of a close frame; `None` if it is empty.
///
/// # Errors
/// A [`BadClose`].
pub fn decode(payload: &[u8]) -> Result<Option<(u16, &str)>, BadClose> {
    if payload.is_empty() {
        return Ok(None);
    }
    let (code, reason) = payload.split_first_chunk().ok_or(BadClose::Length)?;
    let code = u16::from_be_bytes(*code);
    // 1004 has no meaning yet, 1005, 1006 and 1015 are for what was never sent; 1016 to 2999 are unassigned.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(BadClose::Code(code));
    }
    Ok(Some((code, str::from_utf8(reason).map_err(|_| BadClose::Reason)?)))
}

#[cfg(test)]
mod tests {
    use super::{BadClose, decode};

    #[test]
    fn reads_a_body_or_says_what_is_wrong_with_it() {
        let body = |code: u16, reason: &[u8]| [&code.to_be_bytes()[..], reason].concat();
        assert_eq!(decode(b""), Ok(None));
        assert_eq!(decode(&body(1000, b"")), Ok(Some((1000, ""))));
        assert_eq!(decode(&body(4999, "é".as_bytes())), Ok(Some((4999, "é"))));
        assert_eq!(decode(b"\x03"), Err(BadClose::Length));
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            assert_eq!(decode(&body(code, b"")), Err(BadClose::Code(code)));
        }
        assert_eq!(decode(&body(1000, b"\xff")), Err(BadClose::Reason));
    }
}
