use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::check::ensure;
use crate::client::abbreviate;
use crate::client::socket::{Interruption, Socket};
use crate::{Failure, Target};

/// No head and no body of the contract comes near: more than this is garbage, not to be collected.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A connection that speaks HTTP/1.1 (RFC 9112), one request or several.
pub(crate) struct Http {
    pub(crate) socket: Socket,
    host: String,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    fields: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Http {
    pub(crate) fn connect(target: &Target) -> Result<Self, Failure> {
        Ok(Self::over(Socket::open(target)?, target))
    }

    pub(crate) fn over(socket: Socket, target: &Target) -> Self {
        Self { socket, host: target.address.to_string() }
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        self.request("GET", path, &[], b"")
    }

    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> Result<Answer, Failure> {
        let length = body.len().to_string();
        self.request("POST", path, &[("Content-Length", &length)], body)
    }

    /// Sends a request and reads its answer. `fields` are sent as they are.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        let mut request = self.head(method, path, fields);
        request.extend_from_slice(body);
        // A server may refuse a request before it has read it all: its answer counts.
        let _ = self.socket.send(&request);
        self.answer().map_err(|failure| failure.when(format!("to {method} {path}")))
    }

    /// Sends a request and reads the head of its answer alone.
    pub(crate) fn request_head(
        &mut self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let request = self.head(method, path, fields);
        let _ = self.socket.send(&request);
        let deadline = self.socket.deadline();
        self.answer_head(deadline)
            .map_err(|interruption| interruption.awaiting(format!("an HTTP answer to {method} {path}")))
    }

    /// A request's head, with the empty line that ends it.
    pub(crate) fn head(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        for (name, value) in fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Reads one answer.
    pub(crate) fn answer(&mut self) -> Result<Answer, Failure> {
        self.try_answer().map_err(|interruption| interruption.awaiting("an HTTP answer"))
    }

    /// Reads the answer to what is no whole request, if there is one before the connection ends.
    pub(crate) fn answer_or_end(&mut self) -> Result<Option<Answer>, Failure> {
        match self.try_answer() {
            Ok(answer) => Ok(Some(answer)),
            Err(Interruption::End) => Ok(None),
            Err(other) => Err(other.awaiting("an HTTP answer or the end of the connection")),
        }
    }

    fn try_answer(&mut self) -> Result<Answer, Interruption> {
        let deadline = self.socket.deadline();
        let mut answer = self.answer_head(deadline)?;
        let bodiless = answer.status < 200 || answer.status == 204 || answer.status == 304;
        if bodiless {
            return Ok(answer);
        }
        answer.body = if answer.field("transfer-encoding").is_some() {
            self.chunks(deadline)?
        } else if let Some(length) = answer.field("content-length") {
            let bytes = length
                .parse()
                .map_err(|_| Interruption::Broken(format!("a Content-Length that is no number: {length}")))?;
            self.exactly(bytes, deadline)?
        } else {
            self.rest(deadline)?
        };
        Ok(answer)
    }

    fn answer_head(&mut self, deadline: Instant) -> Result<Answer, Interruption> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; 64];
            let mut response = httparse::Response::new(&mut fields);
            let unread = self.socket.unread();
            match response.parse(unread) {
                Ok(httparse::Status::Complete(bytes)) => {
                    let status = response.code.unwrap_or_default();
                    let fields =
                        response.headers.iter().map(|f| (f.name.to_owned(), f.value.to_vec())).collect();
                    self.socket.consume(bytes);
                    return Ok(Answer { status, fields, body: Vec::new() });
                }
                Ok(httparse::Status::Partial) if unread.len() > MAX_ANSWER_BYTES => return Err(too_long()),
                Ok(httparse::Status::Partial) => self.socket.receive(deadline)?,
                Err(error) => {
                    let bytes = abbreviate(unread);
                    return Err(Interruption::Broken(format!("no HTTP/1.1 head ({error}): {bytes}")));
                }
            }
        }
    }

    fn exactly(&mut self, bytes: usize, deadline: Instant) -> Result<Vec<u8>, Interruption> {
        if bytes > MAX_ANSWER_BYTES {
            return Err(too_long());
        }
        while self.socket.unread().len() < bytes {
            self.socket.receive(deadline)?;
        }
        let body = self.socket.unread()[..bytes].to_vec();
        self.socket.consume(bytes);
        Ok(body)
    }

    /// A chunked body without trailers (RFC 9112, section 7.1).
    fn chunks(&mut self, deadline: Instant) -> Result<Vec<u8>, Interruption> {
        let mut body = Vec::new();
        loop {
            let bytes = match httparse::parse_chunk_size(self.socket.unread()) {
                Ok(httparse::Status::Complete((used, bytes))) => {
                    self.socket.consume(used);
                    usize::try_from(bytes).unwrap_or(usize::MAX)
                }
                Ok(httparse::Status::Partial) => {
                    self.socket.receive(deadline)?;
                    continue;
                }
                Err(_) => return Err(Interruption::Broken("a chunk size that is no number".to_owned())),
            };
            if body.len().saturating_add(bytes) > MAX_ANSWER_BYTES {
                return Err(too_long());
            }
            body.extend(self.exactly(bytes, deadline)?);
            if self.exactly(2, deadline)? != b"\r\n" {
                return Err(Interruption::Broken("a chunk that does not end with a line break".to_owned()));
            }
            if bytes == 0 {
                return Ok(body);
            }
        }
    }

    fn rest(&mut self, deadline: Instant) -> Result<Vec<u8>, Interruption> {
        while self.socket.unread().len() <= MAX_ANSWER_BYTES {
            match self.socket.receive(deadline) {
                Ok(()) => {}
                Err(Interruption::End) => {
                    let bytes = self.socket.unread().len();
                    return self.exactly(bytes, deadline);
                }
                Err(other) => return Err(other),
            }
        }
        Err(too_long())
    }
}

impl Answer {
    /// The first value of a field, by its name in any case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        str::from_utf8(value).ok()
    }

    /// The body as JSON of the contract: the status, the media type, and each byte as the contract writes it.
    pub(crate) fn json<T: Serialize + DeserializeOwned>(&self, status: u16) -> Result<T, Failure> {
        self.expect_json(&[status])?;
        let unreadable =
            |error| Failure::new("JSON in the contract's shape", format!("{error} in {}", self.excerpt()));
        let body: T = serde_json::from_slice(&self.body).map_err(unreadable)?;
        let exact = serde_json::to_vec(&body).map_err(unreadable)?;
        ensure(exact == self.body, format!("the body {}", abbreviate(&exact)), self.excerpt())?;
        Ok(body)
    }

    /// An error answer of the contract: `{"error":"what was wrong"}`.
    pub(crate) fn error(&self, statuses: &[u16]) -> Result<(), Failure> {
        self.expect_json(statuses)?;
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let members = body.as_object().map_or(0, serde_json::Map::len);
        let says_what = body["error"].as_str().is_some_and(|text| !text.is_empty());
        ensure(members == 1 && says_what, r#"the body {"error":"what was wrong"}"#, self.excerpt())
    }

    /// One of these statuses, and the media type of JSON.
    pub(crate) fn expect_json(&self, statuses: &[u16]) -> Result<(), Failure> {
        let expected = statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
        let observed = format!("{}, {}", self.status, self.excerpt());
        ensure(statuses.contains(&self.status), format!("the status {expected}"), observed)?;
        let media_type = self.field("content-type").unwrap_or("none");
        ensure(
            media_type == contract::Answer::CONTENT_TYPE,
            format!("the Content-Type {}", contract::Answer::CONTENT_TYPE),
            media_type,
        )
    }

    fn excerpt(&self) -> String {
        format!("a body of {}", abbreviate(&self.body))
    }
}

fn too_long() -> Interruption {
    Interruption::Broken(format!("an answer of more than {MAX_ANSWER_BYTES} bytes"))
}
