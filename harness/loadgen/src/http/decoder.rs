use std::mem::MaybeUninit;

use httparse::{EMPTY_HEADER, Header, ParserConfig, Response, Status};

use super::{LONG_HEAD, MAX_HEAD_BYTES, MAX_HEADERS, has_token, header};
use crate::loss::Loss;

/// Longest line that tells a chunk's size: sixteen digits, and extensions that nobody uses.
const MAX_SIZE_LINE_BYTES: usize = 256;

/// Takes apart the answers on one connection as they come, in any pieces (RFC 9112). Bodies are handed out where they
/// lie: all that it ever keeps is the start of a head or of a chunk's line.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// Longest body that is read.
    most_bytes: u64,
    /// The start of a head, of a chunk's line or of trailers whose end has not come.
    kept: Vec<u8>,
    state: State,
    /// What the body may still have.
    left_bytes: u64,
}

/// What is to come next.
#[derive(Debug, Clone, Copy)]
enum State {
    Head,
    /// So many bytes more of a body of known length.
    Sized(u64),
    ChunkSize,
    /// So many bytes more of a chunk.
    Chunk(u64),
    ChunkEnd,
    Trailers,
    UntilClose,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Head(Head),
    /// A piece of the body, never empty.
    Data(&'a [u8]),
    /// The body is complete. One that only the end of the connection ends never is.
    End,
}

/// What a head says, as far as a load wants to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Is it `text/event-stream`?
    pub(crate) is_event_stream: bool,
    /// Does the connection have to end before the body does?
    pub(crate) until_close: bool,
}

impl Decoder {
    /// For answers with bodies of at most so many bytes.
    pub(crate) fn up_to(most_bytes: u64) -> Self {
        Self { most_bytes, kept: Vec::new(), state: State::Head, left_bytes: most_bytes }
    }

    /// Takes the next part from the front of `input`, which shrinks by what was read. `None`: all of it was read, and
    /// more is needed.
    ///
    /// # Errors
    /// No HTTP/1.1, or longer than it may be. Nothing can be read after it.
    pub(crate) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Part<'a>>, Loss> {
        loop {
            match self.state {
                State::Sized(0) => {
                    self.state = State::Head;
                    return Ok(Some(Part::End));
                }
                _ if input.is_empty() => return Ok(None),
                State::Head => {
                    let Some((head, state)) = self.whole(input, read_head)? else { return Ok(None) };
                    // RFC 9110, section 15.2: those of 1xx may come before any answer.
                    if head.status >= 200 {
                        self.left_bytes = self.most_bytes;
                        if let State::Sized(length) = state {
                            self.take(length)?;
                        }
                        self.state = state;
                        return Ok(Some(Part::Head(head)));
                    }
                }
                State::Sized(rest) => {
                    let data = split(input, rest);
                    self.state = State::Sized(rest - data.len() as u64);
                    return Ok(Some(Part::Data(data)));
                }
                State::ChunkSize => {
                    let Some(size) = self.whole(input, read_size)? else { return Ok(None) };
                    self.take(size)?;
                    self.state = if size == 0 { State::Trailers } else { State::Chunk(size) };
                }
                State::Chunk(rest) => {
                    let data = split(input, rest);
                    let rest = rest - data.len() as u64;
                    self.state = if rest == 0 { State::ChunkEnd } else { State::Chunk(rest) };
                    return Ok(Some(Part::Data(data)));
                }
                State::ChunkEnd => {
                    let Some(()) = self.whole(input, read_chunk_end)? else { return Ok(None) };
                    self.state = State::ChunkSize;
                }
                State::Trailers => {
                    let Some(()) = self.whole(input, read_trailers)? else { return Ok(None) };
                    self.state = State::Head;
                    return Ok(Some(Part::End));
                }
                State::UntilClose => {
                    let data = std::mem::take(input);
                    self.take(data.len() as u64)?;
                    return Ok(Some(Part::Data(data)));
                }
            }
        }
    }

    /// The body has so many bytes more.
    fn take(&mut self, bytes: u64) -> Result<(), Loss> {
        let left_bytes = self.left_bytes.checked_sub(bytes);
        self.left_bytes = left_bytes.ok_or(Loss::Malformed("a body that is too long"))?;
        Ok(())
    }

    /// Reads what begins with what was kept and goes on in `input`. If its end has not come, all of `input` is kept.
    fn whole<T>(&mut self, input: &mut &[u8], read: Read<T>) -> Result<Option<T>, Loss> {
        if self.kept.is_empty() {
            match read(input)? {
                Status::Complete((length, value)) => {
                    *input = &input[length..];
                    return Ok(Some(value));
                }
                Status::Partial => self.kept = std::mem::take(input).to_vec(),
            }
            return Ok(None);
        }
        let kept = self.kept.len();
        self.kept.extend_from_slice(input);
        match read(&self.kept)? {
            Status::Complete((length, value)) => {
                *input = &input[length - kept..];
                self.kept = Vec::new();
                Ok(Some(value))
            }
            Status::Partial => {
                *input = &[];
                Ok(None)
            }
        }
    }
}

/// Reads something whole from the start of some bytes: its length and its value. It is partial only as long as it may
/// yet be: what cannot end within its bounds is an error, however little of it has come.
type Read<T> = fn(&[u8]) -> Result<Whole<T>, Loss>;
type Whole<T> = Status<(usize, T)>;

fn read_head(bytes: &[u8]) -> Result<Whole<(Head, State)>, Loss> {
    // To write 64 empty ones first would take longer than to read the few that there are.
    let mut headers = [MaybeUninit::uninit(); MAX_HEADERS];
    let mut response = Response::new(&mut []);
    let status =
        ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, &mut headers)?;
    let read = bounded(status, bytes, MAX_HEAD_BYTES, LONG_HEAD)?;
    let Status::Complete(length) = read else { return Ok(Status::Partial) };
    let status = response.code.ok_or(Loss::Malformed("the status line"))?;
    let state = framing(status, response.headers)?;
    let media_type = header(response.headers, "Content-Type").and_then(|value| value.split(';').next());
    let head = Head {
        status,
        is_event_stream: media_type.is_some_and(|name| name.trim().eq_ignore_ascii_case("text/event-stream")),
        until_close: matches!(state, State::UntilClose),
    };
    Ok(Status::Complete((length, (head, state))))
}

/// How an answer's body is told from what follows it (RFC 9112, section 6.3).
fn framing(status: u16, headers: &[Header<'_>]) -> Result<State, Loss> {
    match status {
        // Nobody asked for another protocol.
        101 => return Err(Loss::Status(101)),
        100..200 | 204 | 304 => return Ok(State::Sized(0)),
        _ => {}
    }
    if has_token(headers, "Transfer-Encoding", "chunked") {
        return Ok(State::ChunkSize);
    }
    match header(headers, "Content-Length") {
        None => Ok(State::UntilClose),
        Some(length) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            length.parse().map(State::Sized).map_err(|_| Loss::Malformed("the Content-Length"))
        }
        Some(_) => Err(Loss::Malformed("the Content-Length")),
    }
}

fn read_size(bytes: &[u8]) -> Result<Whole<u64>, Loss> {
    // httparse takes a line without a digit for a size of 0.
    let size = Some(bytes).filter(|bytes| bytes[0].is_ascii_hexdigit()).map(httparse::parse_chunk_size);
    let Some(Ok(size)) = size else { return Err(CHUNKS) };
    let lengths = match size {
        Status::Complete((length, _)) => Status::Complete(length),
        Status::Partial => Status::Partial,
    };
    bounded(lengths, bytes, MAX_SIZE_LINE_BYTES, CHUNKS)?;
    Ok(size)
}

fn read_chunk_end(bytes: &[u8]) -> Result<Whole<()>, Loss> {
    match bytes {
        [b'\r', b'\n', ..] => Ok(Status::Complete((2, ()))),
        b"\r" => Ok(Status::Partial),
        _ => Err(CHUNKS),
    }
}

/// Trailers say nothing that a load wants to know (RFC 9112, section 7.1.2).
fn read_trailers(bytes: &[u8]) -> Result<Whole<()>, Loss> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let length = match httparse::parse_headers(bytes, &mut headers)? {
        Status::Complete((length, _)) => Status::Complete(length),
        Status::Partial => Status::Partial,
    };
    Ok(match bounded(length, bytes, MAX_HEAD_BYTES, Loss::Malformed("trailers longer than 16 KiB"))? {
        Status::Complete(length) => Status::Complete((length, ())),
        Status::Partial => Status::Partial,
    })
}

const CHUNKS: Loss = Loss::Malformed("the chunks of the body");

/// Refuses what is too long, whether it has come whole or in part.
fn bounded(read: Status<usize>, bytes: &[u8], most: usize, too_long: Loss) -> Result<Status<usize>, Loss> {
    let length = if let Status::Complete(length) = read { length } else { bytes.len() };
    if length > most { Err(too_long) } else { Ok(read) }
}

/// Splits at most so many bytes off the front.
fn split<'a>(input: &mut &'a [u8], bytes: u64) -> &'a [u8] {
    let length = usize::try_from(bytes).unwrap_or(usize::MAX).min(input.len());
    let (front, rest) = input.split_at(length);
    *input = rest;
    front
}

#[cfg(test)]
mod tests;
