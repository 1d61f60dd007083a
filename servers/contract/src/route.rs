use crate::Refusal;

/// What a request asks for: for contenders whose framework has no router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `GET /`.
    About,
    /// `GET /stats`.
    Stats,
    /// `GET /xhr`.
    Xhr,
    /// `POST /publish`.
    Publish,
    /// `WS /ws/echo`.
    Echo,
    /// `WS /ws/countdown`.
    Countdown,
    /// `WS /ws/broadcast`.
    Broadcast,
    /// `GET /sse`.
    Sse,
    /// `GET /poll`.
    Poll,
    /// `GET /feed`.
    Feed,
    /// `GET /feed/sse`.
    FeedSse,
    /// `WS /feed/ws`.
    FeedWs,
}

impl Route {
    /// The route of a request, by its method and its path without the query.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] and [`Refusal::MethodNotAllowed`].
    pub fn of(method: &str, path: &str) -> Result<Self, Refusal> {
        let (route, expected) = match path {
            "/" => (Self::About, "GET"),
            "/stats" => (Self::Stats, "GET"),
            "/xhr" => (Self::Xhr, "GET"),
            "/publish" => (Self::Publish, "POST"),
            "/ws/echo" => (Self::Echo, "GET"),
            "/ws/countdown" => (Self::Countdown, "GET"),
            "/ws/broadcast" => (Self::Broadcast, "GET"),
            "/sse" => (Self::Sse, "GET"),
            "/poll" => (Self::Poll, "GET"),
            "/feed" => (Self::Feed, "GET"),
            "/feed/sse" => (Self::FeedSse, "GET"),
            "/feed/ws" => (Self::FeedWs, "GET"),
            _ => return Err(Refusal::NotFound),
        };
        if method == expected { Ok(route) } else { Err(Refusal::MethodNotAllowed) }
    }
}

/// Is this a `Sec-WebSocket-Key`: 16 bytes in base64 (RFC 6455, section 4.2.1)? For contenders whose framework
/// takes any key.
#[must_use]
pub fn is_handshake_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    matches!(key, [digits @ .., b'=', b'='] if digits.len() == 22 && digits.iter().all(is_digit))
}
