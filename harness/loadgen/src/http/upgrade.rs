use std::net::SocketAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fastrand::Rng;
use httparse::{EMPTY_HEADER, Response, Status};

use super::{MAX_HEADERS, check_head, has_token, header};
use crate::loss::Loss;

/// The opening handshake of one connection (RFC 6455, section 4.1).
#[derive(Debug)]
pub(crate) struct Upgrade {
    /// What `Sec-WebSocket-Accept` must say.
    accept: String,
    /// The answer, as far as it has come.
    head: Vec<u8>,
    /// Its length, once it is complete.
    head_bytes: usize,
}

impl Upgrade {
    /// Appends the request to `out`, with a key of its own.
    pub(crate) fn request(host: SocketAddr, path: &str, random: &mut Rng, out: &mut Vec<u8>) -> Self {
        let key = STANDARD.encode(random.u128(..).to_ne_bytes());
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        );
        out.extend_from_slice(request.as_bytes());
        Self { accept: framing::accept_key(&key), head: Vec::new(), head_bytes: 0 }
    }

    /// Length of the answer; 0 until it is complete.
    pub(crate) fn head_bytes(&self) -> usize {
        self.head_bytes
    }

    /// Takes the next bytes of the answer. Once it is complete and right: the bytes after it, which are frames.
    ///
    /// # Errors
    /// An answer that is no HTTP, or does not accept the upgrade.
    pub(crate) fn receive<'a>(&mut self, bytes: &'a mut [u8]) -> Result<Option<&'a mut [u8]>, Loss> {
        let kept = self.head.len();
        self.head.extend_from_slice(bytes);
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut response = Response::new(&mut headers);
        match response.parse(&self.head)? {
            Status::Complete(length) => {
                self.check(&response)?;
                self.head_bytes = length;
                Ok(Some(&mut bytes[length - kept..]))
            }
            Status::Partial => check_head(self.head.len()).map(|()| None),
        }
    }

    fn check(&self, response: &Response<'_, '_>) -> Result<(), Loss> {
        let headers = &*response.headers;
        match response.code {
            Some(101) => {}
            Some(other) => return Err(Loss::Status(other)),
            None => return Err(Loss::Malformed("the status line")),
        }
        if !has_token(headers, "Upgrade", "websocket") {
            return Err(Loss::Malformed("no Upgrade: websocket"));
        }
        if !has_token(headers, "Connection", "upgrade") {
            return Err(Loss::Malformed("no Connection: Upgrade"));
        }
        if header(headers, "Sec-WebSocket-Accept") != Some(&self.accept) {
            return Err(Loss::WrongAccept);
        }
        // "If the header field indicates the use of an extension that was not present in the client's
        // handshake, the client MUST fail the connection", and so with a subprotocol.
        if header(headers, "Sec-WebSocket-Extensions").is_some_and(|value| !value.is_empty()) {
            return Err(Loss::Malformed("an extension that was not asked for"));
        }
        if header(headers, "Sec-WebSocket-Protocol").is_some() {
            return Err(Loss::Malformed("a subprotocol that was not asked for"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use proptest::prelude::*;

    use super::*;

    /// A handshake, and the answer that it asks for.
    fn handshake() -> (Upgrade, String) {
        let mut request = Vec::new();
        let upgrade =
            Upgrade::request(([127, 0, 0, 1], 9001).into(), "/ws/echo", &mut Rng::new(), &mut request);
        let request = String::from_utf8(request).expect("a request is text");
        let key = request.split("Sec-WebSocket-Key: ").nth(1).and_then(|rest| rest.lines().next());
        let accept = framing::accept_key(key.expect("a request has a key"));
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n\
             sec-websocket-accept: {accept}\r\n\r\n"
        );
        (upgrade, answer)
    }

    fn loss(change: impl Fn(String) -> String) -> Loss {
        let (mut upgrade, answer) = handshake();
        upgrade.receive(change(answer).into_bytes().as_mut_slice()).expect_err("a wrong answer")
    }

    #[test]
    fn each_wrong_answer_is_told_by_its_cause() {
        assert_eq!(loss(|answer| answer.replace("101 Switching", "503 Sorry")), Loss::Status(503));
        assert_eq!(loss(|answer| answer.replace("accept: ", "accept: x")), Loss::WrongAccept);
        assert_eq!(loss(|answer| answer.replace("accept", "except")), Loss::WrongAccept);
        assert_eq!(
            loss(|answer| answer.replace("upgrade: WebSocket\r\n", "")),
            Loss::Malformed("no Upgrade: websocket")
        );
        assert_eq!(
            loss(|answer| answer.replace("keep-alive, Upgrade", "keep-alive")),
            Loss::Malformed("no Connection: Upgrade")
        );
        assert_eq!(
            loss(|answer| answer
                .replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")),
            Loss::Malformed("an extension that was not asked for")
        );
        assert_eq!(
            loss(|answer| answer.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n")),
            Loss::Malformed("a subprotocol that was not asked for")
        );
        assert_eq!(loss(|_| "SSH-2.0-OpenSSH_9.6\r\n".to_owned()), Loss::Malformed("not HTTP/1.1"));
        assert_eq!(
            loss(|_| format!("HTTP/1.1 101 S\r\nX: {}", "x".repeat(20_000))),
            Loss::Malformed("a head longer than 16 KiB")
        );
    }

    proptest! {
        #[test]
        fn any_split_of_a_right_answer_leaves_the_same_frames(cut in 0usize..200, frames: Vec<u8>) {
            let (mut upgrade, answer) = handshake();
            let head_bytes = answer.len();
            let mut stream = answer.into_bytes();
            stream.extend_from_slice(&frames);
            let cut = cut.min(head_bytes - 1);
            let (first, second) = stream.split_at_mut(cut);
            prop_assert_eq!(upgrade.receive(first), Ok(None));
            let after = upgrade.receive(second).map(|rest| rest.map(|rest| rest.to_vec()));
            prop_assert_eq!(after, Ok(Some(frames)));
            prop_assert_eq!(upgrade.head_bytes(), head_bytes);
        }

        #[test]
        fn arbitrary_bytes_never_panic(pieces: Vec<Vec<u8>>, http: bool) {
            let (mut upgrade, _) = handshake();
            let mut start = b"HTTP/1.1 101 S\r\n".to_vec();
            if http && upgrade.receive(&mut start).is_err() {
                return Ok(());
            }
            for mut piece in pieces {
                if !matches!(upgrade.receive(&mut piece), Ok(None)) {
                    break;
                }
            }
        }
    }
}
