use contract::{Refusal, Route};
use httparse::{EMPTY_HEADER, Error, Header, Status};

/// The longest head: request line and headers.
pub(crate) const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// The head of a request, as far as the contract asks.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) route: Result<Route, Refusal>,
    /// What follows the `?`.
    pub(crate) query: Option<String>,
    /// To `HEAD` goes no body, not even that of a refusal.
    pub(crate) wants_body: bool,
    pub(crate) keep_alive: bool,
    pub(crate) expects_continue: bool,
    pub(crate) body: BodyLength,
    /// As it came.
    pub(crate) last_event_id: Option<Vec<u8>>,
    /// The key of an opening handshake without fault (RFC 6455, section 4.2.1).
    pub(crate) websocket_key: Option<String>,
}

/// How the end of a body is known (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    Bytes(u64),
    Chunked,
}

/// Why a head cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadHead {
    /// 431.
    TooLong,
    /// 400.
    NotHttp,
}

impl Head {
    /// The head that `bytes` begin with, and its length; `None` if it has not come whole.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, BadHead> {
        let window = &bytes[..bytes.len().min(MAX_HEAD_BYTES)];
        // Whole lines only: how the bytes are cut on their way must not change what is refused.
        let lines = window.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&window[..lines]) {
            Ok(Status::Complete(length)) => Ok(Some((Self::of(&request)?, length))),
            Ok(Status::Partial) if window.len() < MAX_HEAD_BYTES => Ok(None),
            Ok(Status::Partial) | Err(Error::TooManyHeaders) => Err(BadHead::TooLong),
            Err(_) => Err(BadHead::NotHttp),
        }
    }

    fn of(request: &httparse::Request<'_, '_>) -> Result<Self, BadHead> {
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version)
        else {
            return Err(BadHead::NotHttp);
        };
        let headers = &*request.headers;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let route = Route::of(method, path);
        let websocket_key = match route {
            Ok(Route::Echo | Route::Countdown | Route::Broadcast | Route::FeedWs) if version == 1 => {
                websocket_key(headers)
            }
            _ => None,
        };
        Ok(Self {
            query,
            wants_body: method != "HEAD",
            // A connection of HTTP/1.0 could be kept, too, if it asked: nobody who measures does.
            keep_alive: version == 1 && !has_token(headers, "Connection", "close"),
            expects_continue: version == 1 && has_token(headers, "Expect", "100-continue"),
            body: body_length(headers)?,
            last_event_id: match route {
                Ok(Route::Sse | Route::FeedSse) => {
                    values(headers, "Last-Event-ID").next().map(<[u8]>::to_vec)
                }
                _ => None,
            },
            route,
            websocket_key,
        })
    }
}

/// Whatever could be understood in two ways is refused: it would let one request hide in another.
fn body_length(headers: &[Header<'_>]) -> Result<BodyLength, BadHead> {
    let mut body = None;
    for header in headers {
        let length = if header.name.eq_ignore_ascii_case("Transfer-Encoding") {
            if !header.value.eq_ignore_ascii_case(b"chunked") {
                return Err(BadHead::NotHttp);
            }
            BodyLength::Chunked
        } else if header.name.eq_ignore_ascii_case("Content-Length") {
            if header.value.is_empty() || !header.value.iter().all(u8::is_ascii_digit) {
                return Err(BadHead::NotHttp);
            }
            let digits = str::from_utf8(header.value).map_err(|_| BadHead::NotHttp)?;
            // Too long for 64 bits is too long for any limit.
            BodyLength::Bytes(digits.parse().unwrap_or(u64::MAX))
        } else {
            continue;
        };
        if body.is_some_and(|before| before != length) {
            return Err(BadHead::NotHttp);
        }
        body = Some(length);
    }
    Ok(body.unwrap_or(BodyLength::Bytes(0)))
}

fn websocket_key(headers: &[Header<'_>]) -> Option<String> {
    let valid = has_token(headers, "Upgrade", "websocket")
        && has_token(headers, "Connection", "upgrade")
        && values(headers, "Sec-WebSocket-Version").eq([&b"13"[..]]);
    let mut keys = values(headers, "Sec-WebSocket-Key");
    match (keys.next(), keys.next()) {
        (Some(key), None) if valid && is_key(key) => str::from_utf8(key).map(str::to_owned).ok(),
        _ => None,
    }
}

/// Sixteen bytes in Base64.
fn is_key(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_base64)
}

fn has_token(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    values(headers, name)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

fn values<'a>(headers: &'a [Header<'_>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

#[cfg(test)]
mod tests {
    use super::{BadHead, BodyLength, Head, MAX_HEAD_BYTES};

    fn head(lines: &str) -> Result<Head, BadHead> {
        let text = format!("{}\r\n\r\n", lines.replace('\n', "\r\n"));
        Head::parse(text.as_bytes()).map(|head| head.expect("a whole head").0)
    }

    #[test]
    fn knows_an_opening_handshake_from_what_only_looks_like_one() {
        let good = "GET /ws/echo HTTP/1.1\nHost: x\nupgrade: WebSocket\nCONNECTION: keep-alive, Upgrade\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13";
        let key = |lines: &str| head(lines).map(|head| head.websocket_key);
        assert_eq!(key(good), Ok(Some("dGhlIHNhbXBsZSBub25jZQ==".to_owned())));
        for (from, to) in [
            ("HTTP/1.1", "HTTP/1.0"),
            ("upgrade: WebSocket", "upgrade: h2c"),
            ("upgrade: WebSocket", "X: y"),
            ("keep-alive, Upgrade", "keep-alive"),
            ("Version: 13", "Version: 8"),
            ("Version: 13", "Version: 13\nSec-WebSocket-Version: 8"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="),
            ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ**"),
            ("Sec-WebSocket-Key", "X-Key"),
        ] {
            assert!(good.contains(from));
            assert_eq!(key(&good.replace(from, to)), Ok(None), "{to}");
        }
    }

    #[test]
    fn knows_where_a_body_ends_or_refuses_to_guess() {
        let length = |lines: &str| head(&format!("POST /publish HTTP/1.1\n{lines}")).map(|head| head.body);
        assert_eq!(length("Host: x"), Ok(BodyLength::Bytes(0)));
        assert_eq!(length("content-length: 12"), Ok(BodyLength::Bytes(12)));
        assert_eq!(length("Content-Length: 12\nContent-Length: 12"), Ok(BodyLength::Bytes(12)));
        assert_eq!(length("Content-Length: 99999999999999999999"), Ok(BodyLength::Bytes(u64::MAX)));
        assert_eq!(length("Transfer-Encoding: Chunked"), Ok(BodyLength::Chunked));
        for bad in [
            "Content-Length: +1",
            "Content-Length:",
            "Content-Length: 1, 1",
            "Content-Length: 1\nContent-Length: 2",
            "Content-Length: 1\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
        ] {
            assert_eq!(length(bad), Err(BadHead::NotHttp), "{bad}");
        }
    }

    #[test]
    fn a_head_is_bounded_in_bytes_and_in_headers() {
        let long = |bytes: usize| format!("GET / HTTP/1.1\nX: {}", "x".repeat(bytes - 23));
        assert!(head(&long(MAX_HEAD_BYTES)).is_ok());
        assert_eq!(head(&long(MAX_HEAD_BYTES + 1)).err(), Some(BadHead::TooLong));
        let many = format!("GET / HTTP/1.1{}", "\nX: y".repeat(65));
        assert_eq!(head(&many).err(), Some(BadHead::TooLong));
        assert_eq!(head("GET / HTTP/2.0").err(), Some(BadHead::NotHttp));
        assert_eq!(Head::parse(b"GET / HTTP/1.1\r\nHost: x\r\n").map(|head| head.is_some()), Ok(false));
    }
}
