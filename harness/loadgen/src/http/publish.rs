use std::net::SocketAddr;

use httparse::{EMPTY_HEADER, Header, Response, Status};
use serde::Deserialize;

use super::{MAX_HEADERS, check_head, has_token, header};
use crate::loss::Loss;

/// Longest body of an answer that is read: a receipt has some thirty bytes, an error a line.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The head of every `POST /publish` with `body_bytes` of data.
pub(crate) fn request_head(host: SocketAddr, body_bytes: usize) -> Vec<u8> {
    format!(
        "POST /publish HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {body_bytes}\r\n\r\n"
    )
    .into_bytes()
}

/// What a 202 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Receipt {
    /// Id of the publication.
    pub(crate) id: u64,
    /// How many subscribers it goes to.
    pub(crate) subscribers: u64,
}

/// The answer to one publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted(Receipt),
    Refused {
        status: u16,
    },
    /// A 202 whose body is no receipt.
    NoReceipt,
}

/// Reads the answers on one keep-alive connection.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// What came since the last complete answer.
    kept: Vec<u8>,
}

impl Answers {
    /// Takes the next bytes; [`next`](Self::next) then gives the answers in them.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
    }

    /// The next complete answer, if there is one.
    ///
    /// # Errors
    /// No HTTP/1.1, or longer than any answer to a publication is. Nothing can be read after it.
    pub(crate) fn next(&mut self) -> Result<Option<Answer>, Loss> {
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut response = Response::new(&mut headers);
        let Status::Complete(head_bytes) = response.parse(&self.kept)? else {
            return check_head(self.kept.len()).map(|()| None);
        };
        let status = response.code.ok_or(Loss::Malformed("the status line"))?;
        let Some((body, length)) = body(response.headers, &self.kept[head_bytes..])? else { return Ok(None) };
        let answer = match serde_json::from_slice(&body) {
            _ if status != 202 => Answer::Refused { status },
            Ok(receipt) => Answer::Accepted(receipt),
            Err(_) => Answer::NoReceipt,
        };
        self.kept.drain(..head_bytes + length);
        Ok(Some(answer))
    }
}

/// The body at the start of `bytes` and its length on the wire; `None` if it is not complete.
fn body(headers: &[Header<'_>], bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Loss> {
    if has_token(headers, "Transfer-Encoding", "chunked") {
        return chunked(bytes);
    }
    let length = header(headers, "Content-Length").and_then(|length| length.parse().ok());
    let length: usize = length.ok_or(Loss::Malformed("no Content-Length"))?;
    check_body(length)?;
    Ok(bytes.get(..length).map(|body| (body.to_vec(), length)))
}

/// A chunked body (RFC 9112, section 7.1) without trailers.
fn chunked(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Loss> {
    let malformed = Loss::Malformed("the chunks of the body");
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Ok(size) = httparse::parse_chunk_size(&bytes[at..]) else { return Err(malformed) };
        let Status::Complete((line_bytes, chunk_bytes)) = size else {
            return check_body(bytes.len()).map(|()| None);
        };
        let chunk_bytes = usize::try_from(chunk_bytes).unwrap_or(usize::MAX);
        check_body(body.len().saturating_add(chunk_bytes))?;
        let data = at + line_bytes;
        let Some(chunk) = bytes.get(data..data + chunk_bytes + 2) else { return Ok(None) };
        let Some(chunk) = chunk.strip_suffix(b"\r\n") else { return Err(malformed) };
        body.extend_from_slice(chunk);
        at = data + chunk_bytes + 2;
        if chunk_bytes == 0 {
            return Ok(Some((body, at)));
        }
    }
}

fn check_body(bytes: usize) -> Result<(), Loss> {
    if bytes > MAX_BODY_BYTES { Err(Loss::Malformed("a body longer than 64 KiB")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = "HTTP/1.1 202 Accepted\r\ncontent-length: 25\r\n\r\n{\"id\":1,\"subscribers\":99}\
        HTTP/1.1 413 Content Too Large\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"err\r\n0\r\n\r\n\
        HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\na;x=y\r\n{\"id\":2,\"s\r\n10\r\nubscribers\":100}\r\n0\r\n\r\n\
        HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";
    const ANSWERS: [Answer; 4] = [
        Answer::Accepted(Receipt { id: 1, subscribers: 99 }),
        Answer::Refused { status: 413 },
        Answer::Accepted(Receipt { id: 2, subscribers: 100 }),
        Answer::NoReceipt,
    ];

    fn read(pieces: &[&[u8]]) -> Result<Vec<Answer>, Loss> {
        let mut answers = Answers::default();
        let mut read = Vec::new();
        for piece in pieces {
            answers.receive(piece);
            while let Some(answer) = answers.next()? {
                read.push(answer);
            }
        }
        Ok(read)
    }

    #[test]
    fn what_is_no_answer_is_told_by_its_cause() {
        for (bytes, cause) in [
            ("SSH-2.0-OpenSSH_9.6\r\n", "not HTTP/1.1"),
            ("HTTP/1.1 202 Accepted\r\n\r\n", "no Content-Length"),
            ("HTTP/1.1 202 Accepted\r\nContent-Length: -1\r\n\r\n", "no Content-Length"),
            ("HTTP/1.1 202 Accepted\r\nContent-Length: 70000\r\n\r\n", "a body longer than 64 KiB"),
            ("HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "the chunks of the body"),
            ("HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "the chunks of the body"),
            (
                "HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                "a body longer than 64 KiB",
            ),
        ] {
            assert_eq!(read(&[bytes.as_bytes()]), Err(Loss::Malformed(cause)), "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_answers(cut in 0..=STREAM.len(), other in 0..=STREAM.len()) {
            let (first, second) = (cut.min(other), cut.max(other));
            let bytes = STREAM.as_bytes();
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            prop_assert_eq!(read(&pieces), Ok(ANSWERS.to_vec()));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, cut in 0..=STREAM.len()) {
            let _ = read(&[&bytes]);
            let _ = read(&[&STREAM.as_bytes()[..cut], &bytes]);
        }
    }
}
