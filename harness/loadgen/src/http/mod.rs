//! The little HTTP/1.1 that a load needs: requests, answers whole or as they come, and the upgrade of a connection. No
//! sockets.

mod answers;
mod decoder;
mod publish;
mod upgrade;

pub(crate) use answers::Answers;
pub(crate) use decoder::{Decoder, Head, Part};
pub(crate) use publish::{Answer, Receipt, request_head};
pub(crate) use upgrade::Upgrade;

use std::net::SocketAddr;

use httparse::Header;

use crate::loss::Loss;

/// Longest head of an answer that is read.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const LONG_HEAD: Loss = Loss::Malformed("a head longer than 16 KiB");
const MAX_HEADERS: usize = 64;

/// What follows the path in every `GET`.
pub(crate) fn request_end(host: SocketAddr) -> Vec<u8> {
    format!(" HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

/// A header's value, if it is there and is text.
fn header<'h>(headers: &[Header<'h>], name: &str) -> Option<&'h str> {
    let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    str::from_utf8(found.value).ok().map(str::trim)
}

/// Is `token` one of a header's comma-separated tokens (RFC 9110, section 5.6.1)?
fn has_token(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    header(headers, name)
        .is_some_and(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
}

/// Refuses a head that has grown too long without ending.
fn check_head(bytes: usize) -> Result<(), Loss> {
    if bytes > MAX_HEAD_BYTES { Err(LONG_HEAD) } else { Ok(()) }
}
