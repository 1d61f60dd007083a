use std::time::Instant;

use crate::check::ensure;
use crate::client::abbreviate;
use crate::client::calls::{Publication, SSE};
use crate::client::http::{Answer, Http};
use crate::client::socket::{Interruption, Socket};
use crate::{Failure, Target};

/// The comment that is no publication (contract, `GET /sse`).
pub(crate) const HEARTBEAT: &str = ":\n\n";
/// Far above the longest block of the contract.
const MAX_BLOCK_BYTES: usize = 4 * 1024 * 1024;

/// An event stream (HTML standard, section 9.2) in a chunked body (RFC 9112, section 7.1), read block by block.
pub(crate) struct EventStream {
    pub(crate) socket: Socket,
    pub(crate) head: Answer,
    /// What is left of the chunk in progress, with the line break that ends it.
    chunk_bytes: usize,
    ended: bool,
    /// What has come of the body and of no block.
    body: Vec<u8>,
    parser: sse::Parser,
}

impl EventStream {
    /// `GET /sse`, and the block that comes at once.
    pub(crate) fn subscribe(target: &Target) -> Result<Self, Failure> {
        Self::subscribe_to(target, SSE, &[])
    }

    /// The same with a query or with fields.
    pub(crate) fn subscribe_to(
        target: &Target,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Self, Failure> {
        Self::over(Http::connect(target)?, path, fields)?.begun(target)
    }

    /// A subscriber with the smallest buffers, so that the server soon feels it when we do not read.
    pub(crate) fn subscribe_narrow(target: &Target) -> Result<Self, Failure> {
        Self::over(Http::over(Socket::open_narrow(target)?, target), SSE, &[])?.begun(target)
    }

    fn begun(mut self, target: &Target) -> Result<Self, Failure> {
        let retry = format!("retry: {}\n\n", target.timing.retry_ms);
        self.expect_block(&retry).map_err(|failure| failure.when("at once on an event stream"))?;
        Ok(self)
    }

    /// Asks for an event stream and reads its head.
    pub(crate) fn open(target: &Target, path: &str, fields: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::over(Http::connect(target)?, path, fields)
    }

    fn over(mut http: Http, path: &str, fields: &[(&str, &str)]) -> Result<Self, Failure> {
        let head = http.request_head("GET", path, fields)?;
        let observed =
            format!("{}, {}", head.status, head.field("content-type").unwrap_or("no Content-Type"));
        let circumstance = || format!("to GET {path}");
        ensure(observed == "200, text/event-stream", "200, text/event-stream", observed)
            .map_err(|failure| failure.when(circumstance()))?;
        let coding = head.field("transfer-encoding").unwrap_or("none").to_owned();
        ensure(coding == "chunked", "the field Transfer-Encoding: chunked", coding)
            .map_err(|failure| failure.when(circumstance()))?;
        Ok(Self {
            socket: http.socket,
            head,
            chunk_bytes: 0,
            ended: false,
            body: Vec::new(),
            parser: sse::Parser::new(),
        })
    }

    /// The next block with the empty line that ends it, be it a heartbeat; [`Interruption::End`] is the end of the
    /// body or of the connection.
    pub(crate) fn read_block(&mut self) -> Result<String, Interruption> {
        self.read_block_until(self.socket.deadline())
    }

    fn read_block_until(&mut self, deadline: Instant) -> Result<String, Interruption> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.body[searched..].windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.body.drain(..searched + at + 2).collect();
                let broken = |_| Interruption::Broken("a block that is not UTF-8".to_owned());
                return String::from_utf8(block).map_err(broken);
            }
            searched = self.body.len().saturating_sub(1);
            if self.ended {
                return Err(match self.body.as_slice() {
                    [] => Interruption::End,
                    rest => Interruption::Broken(format!("half a block: {}", abbreviate(rest))),
                });
            }
            if self.body.len() > MAX_BLOCK_BYTES {
                return Err(Interruption::Broken(format!("a block of more than {MAX_BLOCK_BYTES} bytes")));
            }
            if !self.read_chunk()? {
                self.socket.receive(deadline)?;
            }
        }
    }

    /// Moves what has arrived of a chunk to the body; false if more must arrive.
    fn read_chunk(&mut self) -> Result<bool, Interruption> {
        if self.chunk_bytes == 0 {
            match httparse::parse_chunk_size(self.socket.unread()) {
                Ok(httparse::Status::Complete((used, bytes))) => {
                    self.socket.consume(used);
                    self.ended = bytes == 0;
                    self.chunk_bytes = usize::try_from(bytes).unwrap_or(usize::MAX).saturating_add(2);
                }
                Ok(httparse::Status::Partial) => return Ok(false),
                Err(_) => return Err(Interruption::Broken("a chunk size that is no number".to_owned())),
            }
        }
        let arrived = self.socket.unread();
        let bytes = arrived.len().min(self.chunk_bytes);
        // The last two of a chunk are its line break.
        self.body.extend_from_slice(&arrived[..bytes.min(self.chunk_bytes.saturating_sub(2))]);
        self.socket.consume(bytes);
        self.chunk_bytes -= bytes;
        Ok(bytes > 0 || self.ended)
    }

    /// The next block that is no heartbeat.
    pub(crate) fn read(&mut self) -> Result<String, Interruption> {
        // Heartbeats put nothing off.
        let deadline = self.socket.deadline();
        loop {
            let block = self.read_block_until(deadline)?;
            if block != HEARTBEAT {
                return Ok(block);
            }
        }
    }

    /// Awaits this block, and heartbeats at most before it.
    pub(crate) fn expect_block(&mut self, expected: &str) -> Result<(), Failure> {
        let awaited = || format!("the block {}", abbreviate(expected.as_bytes()));
        match self.read() {
            Ok(block) if block == expected => Ok(()),
            Ok(block) => {
                let difference = super::difference(expected.as_bytes(), block.as_bytes());
                Err(Failure::new(
                    awaited(),
                    format!("the block {}{difference}", abbreviate(block.as_bytes())),
                ))
            }
            Err(interruption) => Err(interruption.awaiting(awaited())),
        }
    }

    /// Awaits the block of this publication, as the contract writes it.
    pub(crate) fn expect(&mut self, publication: &Publication) -> Result<(), Failure> {
        self.expect_block(&publication.block())
    }

    /// Awaits this publication as a browser would read it: by the standard's algorithm.
    pub(crate) fn expect_event(&mut self, expected: &Publication) -> Result<(), Failure> {
        let block = self.read().map_err(|i| i.awaiting(format!("publication {}", expected.id)))?;
        let event = self.parser.next(&mut block.as_bytes());
        let observed = event.and_then(|event| {
            let text = |bytes: &[u8]| str::from_utf8(bytes).ok().map(str::to_owned);
            Some((text(event.id)?, text(event.name)?, serde_json::from_slice(event.data).ok()?))
        });
        let name = expected.event.clone().unwrap_or_else(|| "message".to_owned());
        let expected = Some((expected.id.to_string(), name, expected.clone()));
        let shown = abbreviate(block.as_bytes());
        ensure(observed == expected, format!("the event {expected:?}"), format!("{observed:?} of {shown}"))
    }

    /// Awaits the end of the stream.
    pub(crate) fn expect_end(&mut self) -> Result<(), Failure> {
        match self.read() {
            Err(interruption) if interruption.is_end() => Ok(()),
            Err(interruption) => Err(interruption.awaiting("the end of the event stream")),
            Ok(block) => Err(Failure::new("the end of the event stream", abbreviate(block.as_bytes()))),
        }
    }
}
