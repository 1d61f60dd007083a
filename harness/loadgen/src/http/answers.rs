use std::borrow::Cow;
use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Response, Status};

use super::{MAX_HEADERS, check_head, has_token, header};
use crate::loss::Loss;

/// Longest body of an answer that is read: a receipt has some thirty bytes, an error a line.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Reads the answers on one keep-alive connection (RFC 9112). It holds no buffer between two answers.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// What came since the last complete answer.
    kept: Vec<u8>,
}

impl Answers {
    /// Takes the next bytes, and hands each answer that they complete to `each`: its status and its body.
    ///
    /// # Errors
    /// No HTTP/1.1, or longer than any answer is. Nothing can be read after it.
    pub(crate) fn receive(&mut self, bytes: &[u8], mut each: impl FnMut(u16, &[u8])) -> Result<(), Loss> {
        let mut kept = std::mem::take(&mut self.kept);
        let mut rest = bytes;
        if !kept.is_empty() {
            kept.extend_from_slice(bytes);
            rest = &kept;
        }
        while !rest.is_empty()
            && let Some(length) = read(rest, &mut each)?
        {
            rest = &rest[length..];
        }
        self.kept = rest.to_vec();
        Ok(())
    }
}

/// Reads one answer from the start of `bytes`: its length on the wire, or `None` if it is not complete.
fn read(bytes: &[u8], each: &mut impl FnMut(u16, &[u8])) -> Result<Option<usize>, Loss> {
    // To write 64 empty ones first would take longer than to read the few that there are.
    let mut headers = [MaybeUninit::uninit(); MAX_HEADERS];
    let mut response = Response::new(&mut []);
    let parsed =
        ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, &mut headers)?;
    let Status::Complete(head_bytes) = parsed else {
        return check_head(bytes.len()).map(|()| None);
    };
    let status = response.code.ok_or(Loss::Malformed("the status line"))?;
    let Some((body, length)) = body(response.headers, &bytes[head_bytes..])? else { return Ok(None) };
    each(status, &body);
    Ok(Some(head_bytes + length))
}

/// A body, and its length on the wire.
type Body<'b> = (Cow<'b, [u8]>, usize);

/// The body at the start of `bytes`; `None` if it is not complete.
fn body<'b>(headers: &[Header<'_>], bytes: &'b [u8]) -> Result<Option<Body<'b>>, Loss> {
    if has_token(headers, "Transfer-Encoding", "chunked") {
        return chunked(bytes);
    }
    let length = header(headers, "Content-Length").and_then(|length| length.parse().ok());
    let length: usize = length.ok_or(Loss::Malformed("no Content-Length"))?;
    check_body(length)?;
    Ok(bytes.get(..length).map(|body| (body.into(), length)))
}

/// A chunked body (RFC 9112, section 7.1) without trailers.
fn chunked(bytes: &[u8]) -> Result<Option<Body<'static>>, Loss> {
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
            return Ok(Some((body.into(), at)));
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
        HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    const ANSWERS: [(u16, &str); 4] = [
        (202, r#"{"id":1,"subscribers":99}"#),
        (413, r#"{"err"#),
        (202, r#"{"id":2,"subscribers":100}"#),
        (200, ""),
    ];

    /// The answers before the bytes that are none, and whether there are such.
    fn read(pieces: &[&[u8]]) -> (Vec<(u16, String)>, Result<(), Loss>) {
        let mut answers = Answers::default();
        let mut read = Vec::new();
        for piece in pieces {
            let each = |status, body: &[u8]| read.push((status, String::from_utf8_lossy(body).into_owned()));
            if let Err(loss) = answers.receive(piece, each) {
                return (read, Err(loss));
            }
        }
        (read, Ok(()))
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
            assert_eq!(read(&[bytes.as_bytes()]), (Vec::new(), Err(Loss::Malformed(cause))), "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_answers(cut in 0..=STREAM.len(), other in 0..=STREAM.len()) {
            let (first, second) = (cut.min(other), cut.max(other));
            let bytes = STREAM.as_bytes();
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            let answers = ANSWERS.map(|(status, body)| (status, body.to_owned()));
            prop_assert_eq!(read(&pieces), (answers.to_vec(), Ok(())));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, cut in 0..=STREAM.len()) {
            let _ = read(&[&bytes]);
            let _ = read(&[&STREAM.as_bytes()[..cut], &bytes]);
        }
    }
}
