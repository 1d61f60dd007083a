use std::borrow::Cow;

use super::decoder::{Decoder, Part};
use crate::loss::Loss;

/// Longest body of an answer to a publication or a countdown: a receipt has some thirty bytes, an error a line.
const MAX_BODY_BYTES: u64 = 64 * 1024;

/// Reads the answers on one keep-alive connection, each as a whole. It holds no buffer between two answers.
#[derive(Debug)]
pub(crate) struct Answers {
    decoder: Decoder,
    status: u16,
    /// What has come of a body that is not complete.
    body: Vec<u8>,
}

impl Default for Answers {
    fn default() -> Self {
        Self::up_to(MAX_BODY_BYTES)
    }
}

impl Answers {
    /// Reads answers with bodies of at most so many bytes.
    pub(crate) fn up_to(most_bytes: u64) -> Self {
        Self { decoder: Decoder::up_to(most_bytes), status: 0, body: Vec::new() }
    }

    /// Takes the next bytes, and hands each answer that they complete to `each`: its status and its body, which is
    /// copied only if it came in pieces.
    ///
    /// # Errors
    /// No HTTP/1.1, or longer than any answer is. Nothing can be read after it.
    pub(crate) fn receive(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(u16, &[u8]) -> Result<(), Loss>,
    ) -> Result<(), Loss> {
        let mut body = Cow::from(std::mem::take(&mut self.body));
        while let Some(part) = self.decoder.next(&mut bytes)? {
            match part {
                Part::Head(head) if head.until_close => return Err(Loss::Malformed("no Content-Length")),
                Part::Head(head) => self.status = head.status,
                Part::Data(data) if body.is_empty() => body = data.into(),
                Part::Data(data) => body.to_mut().extend_from_slice(data),
                Part::End => {
                    each(self.status, &body)?;
                    body = Cow::default();
                }
            }
        }
        self.body = body.into_owned();
        Ok(())
    }
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
            let each = |status, body: &[u8]| {
                read.push((status, String::from_utf8_lossy(body).into_owned()));
                Ok(())
            };
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
            ("HTTP/1.1 202 Accepted\r\nContent-Length: -1\r\n\r\n", "the Content-Length"),
            ("HTTP/1.1 202 Accepted\r\nContent-Length: 70000\r\n\r\n", "a body that is too long"),
            ("HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "the chunks of the body"),
            ("HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "the chunks of the body"),
            (
                "HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                "a body that is too long",
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
