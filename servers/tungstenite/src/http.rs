//! HTTP/1.1 as far as the contract needs it: requests one after the other on a connection that is kept alive,
//! their bodies of a known length or in chunks (RFC 9112).

use std::future::pending;

use bytes::{Buf, Bytes, BytesMut};
use contract::{Answer, Ending, FAREWELL, Refusal};
use httparse::{EMPTY_HEADER, Status, parse_chunk_size, parse_headers};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::Request;
use tokio_tungstenite::tungstenite::http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, TRANSFER_ENCODING,
};
use tokio_tungstenite::tungstenite::http::{Method, StatusCode};

const READ_BYTES: usize = 8 * 1024;
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// A client's connection, between two requests or within one.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    read_ahead: BytesMut,
    /// What has not been read of the current request's body.
    unread: Body,
    /// Nothing that follows the current request is read as another.
    last: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    Bytes(usize),
    Chunks,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, read_ahead: BytesMut::new(), unread: Body::Bytes(0), last: false }
    }

    /// The stream, and what was read of it beyond the last request.
    pub(crate) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.read_ahead.into())
    }

    /// The head of the next request.
    pub(crate) async fn request(&mut self) -> Result<Request, Ending> {
        // Until it is known where the request ends.
        self.last = true;
        let request = loop {
            match parse(&self.read_ahead)? {
                Some((request, head_bytes)) => {
                    self.read_ahead.advance(head_bytes);
                    break request;
                }
                None => self.read_more(MAX_HEAD_BYTES).await?,
            }
        };
        self.unread = match (single(&request, TRANSFER_ENCODING)?, single(&request, CONTENT_LENGTH)?) {
            (None, None) => Body::Bytes(0),
            (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Body::Chunks,
            (None, Some(length)) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                Body::Bytes(length.parse().map_err(|_| Refusal::NotHttp)?)
            }
            _ => return Err(Refusal::NotHttp.into()),
        };
        // An answer to HEAD would have to have no body.
        self.last = has(&request, &CONNECTION, "close") || request.method() == Method::HEAD;
        Ok(request)
    }

    /// The body of the current request. One that is longer than `limit_bytes` is not read.
    pub(crate) async fn body(&mut self, request: &Request, limit_bytes: usize) -> Result<Bytes, Ending> {
        if matches!(self.unread, Body::Bytes(length) if length > limit_bytes) {
            return Err(Refusal::TooBig { limit_bytes }.into());
        }
        if has(request, &EXPECT, "100-continue") && self.read_ahead.is_empty() {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let body = match self.unread {
            Body::Bytes(length) => self.take(length).await?,
            Body::Chunks => self.chunks(limit_bytes).await?,
        };
        self.unread = Body::Bytes(0);
        Ok(body)
    }

    /// A body in chunks, and the trailers after it (RFC 9112, section 7.1).
    async fn chunks(&mut self, limit_bytes: usize) -> Result<Bytes, Ending> {
        let mut body = BytesMut::new();
        loop {
            let (line_bytes, size) = match parse_chunk_size(&self.read_ahead) {
                Ok(Status::Complete(found)) => found,
                Ok(Status::Partial) => {
                    self.read_more(MAX_HEAD_BYTES).await?;
                    continue;
                }
                Err(_) => return Err(Refusal::NotHttp.into()),
            };
            self.read_ahead.advance(line_bytes);
            if size == 0 {
                break;
            }
            let size = usize::try_from(size).ok().filter(|size| *size <= limit_bytes - body.len());
            let chunk = self.take(size.ok_or(Refusal::TooBig { limit_bytes })?).await?;
            body.extend_from_slice(&chunk);
            if self.take(2).await? != "\r\n" {
                return Err(Refusal::NotHttp.into());
            }
        }
        let trailer_bytes = loop {
            match parse_headers(&self.read_ahead, &mut [EMPTY_HEADER; MAX_HEADERS]) {
                Ok(Status::Complete((trailer_bytes, _))) => break trailer_bytes,
                Ok(Status::Partial) => self.read_more(MAX_HEAD_BYTES).await?,
                Err(_) => return Err(Refusal::NotHttp.into()),
            }
        };
        self.read_ahead.advance(trailer_bytes);
        Ok(body.freeze())
    }

    /// Answers the current request. Returns the connection, if there may be another request on it.
    pub(crate) async fn answer(mut self, answer: Result<Answer, Ending>) -> Option<Self> {
        let Answer { status, body } = match answer {
            Ok(answer) => answer,
            Err(Ending::Refused(refusal)) => refusal.into(),
            Err(Ending::Gone | Ending::Done) => return None,
        };
        let status = StatusCode::from_u16(status).expect("the contract has only valid statuses");
        self.last |= self.unread != Body::Bytes(0);
        let mut message = self.head(status);
        // A 204 has neither (RFC 9110, section 8.6).
        if status != StatusCode::NO_CONTENT {
            let (kind, length) = (Answer::CONTENT_TYPE, body.len());
            message += &format!("content-type: {kind}\r\ncontent-length: {length}\r\n");
        }
        message += "\r\n";
        let mut message = message.into_bytes();
        message.extend_from_slice(&body);
        self.stream.write_all(&message).await.ok()?;
        self.keep().await
    }

    /// Status and connection: other fields may follow.
    pub(crate) fn head(&self, status: StatusCode) -> String {
        let connection = if self.last { "connection: close\r\n" } else { "" };
        format!("HTTP/1.1 {status}\r\n{connection}")
    }

    /// Returns the connection, if there may be another request on it.
    pub(crate) async fn keep(mut self) -> Option<Self> {
        if !self.last {
            return Some(self);
        }
        // What the client is still sending is read and thrown away: left unread, it would make TCP reset the
        // connection, and the client might never see the answer (RFC 9112, section 9.6).
        self.stream.shutdown().await.ok()?;
        let _ = timeout(FAREWELL, copy(&mut self.stream, &mut sink())).await;
        None
    }

    async fn take(&mut self, length: usize) -> Result<Bytes, Ending> {
        while self.read_ahead.len() < length {
            self.read_more(length).await?;
        }
        Ok(self.read_ahead.split_to(length).freeze())
    }

    /// Ends when the client has gone. What it says meanwhile is kept for later, up to a limit.
    pub(crate) async fn gone(&mut self) {
        while self.read_more(MAX_HEAD_BYTES).await.is_ok() {}
        if self.read_ahead.len() > MAX_HEAD_BYTES {
            pending::<()>().await;
        }
    }

    /// Waits for more than is there, which makes sense up to `limit_bytes`.
    async fn read_more(&mut self, limit_bytes: usize) -> Result<(), Ending> {
        if self.read_ahead.len() > limit_bytes {
            return Err(Refusal::NotHttp.into());
        }
        self.read_ahead.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.read_ahead).await? {
            0 => Err(Ending::Gone),
            _ => Ok(()),
        }
    }
}

/// The head of a request at the front of `bytes`, and its length; `None` if more is needed.
fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, Refusal> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let Status::Complete(head_bytes) = head.parse(bytes).map_err(|_| Refusal::NotHttp)? else {
        return Ok(None);
    };
    let (Some(method), Some(target), Some(1)) = (head.method, head.path, head.version) else {
        return Err(Refusal::NotHttp);
    };
    let mut request = Request::builder().method(method).uri(target);
    for header in head.headers {
        request = request.header(header.name, header.value);
    }
    request.body(()).map(|request| Some((request, head_bytes))).map_err(|_| Refusal::NotHttp)
}

/// The value of a field that must not come twice.
fn single(request: &Request, name: HeaderName) -> Result<Option<&str>, Refusal> {
    let mut values = request.headers().get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Refusal::NotHttp),
        (Some(_), Some(_)) => Err(Refusal::NotHttp),
    }
}

/// Does the list in the field hold the token?
fn has(request: &Request, name: &HeaderName, token: &str) -> bool {
    let lists = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}
