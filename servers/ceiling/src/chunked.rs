use contract::Refusal;
use httparse::Status;

/// A line of sizes or of trailers; the sender may put extensions on it, which are ignored.
const MAX_LINE_BYTES: usize = 1024;

/// A body of unknown length, in chunks (RFC 9112, section 7.1).
#[derive(Debug)]
pub(crate) struct Chunked {
    body: Vec<u8>,
    limit_bytes: usize,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Size,
    Data { missing_bytes: usize },
    EndOfData,
    Trailer,
    Nothing,
}

impl Chunked {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self { body: Vec::new(), limit_bytes, next: Next::Size }
    }

    /// How much of `raw` was read; the rest is too short to say anything yet, or is not part of the body.
    ///
    /// # Errors
    /// [`Refusal::TooBig`] as soon as a size tells, and [`Refusal::NotHttp`].
    pub(crate) fn read(&mut self, raw: &[u8]) -> Result<usize, Refusal> {
        let mut read = 0;
        loop {
            let rest = &raw[read..];
            let used = match self.next {
                Next::Size => self.read_size(rest)?,
                Next::Data { missing_bytes } => Some(self.read_data(rest, missing_bytes)),
                Next::EndOfData => self.read_end_of_data(rest)?,
                Next::Trailer => self.read_trailer(rest)?,
                Next::Nothing => None,
            };
            match used {
                Some(used) => read += used,
                None => return Ok(read),
            }
            if read == raw.len() {
                return Ok(read);
            }
        }
    }

    /// The body, if all of it has been read.
    pub(crate) fn take_body(&mut self) -> Option<Vec<u8>> {
        (self.next == Next::Nothing).then(|| std::mem::take(&mut self.body))
    }

    fn read_size(&mut self, rest: &[u8]) -> Result<Option<usize>, Refusal> {
        let Some(line) = line(rest)? else { return Ok(None) };
        let Ok(Status::Complete((used, size))) = httparse::parse_chunk_size(line) else {
            return Err(Refusal::NotHttp);
        };
        // The parser takes a line without a size for a size of 0.
        if !line[0].is_ascii_hexdigit() {
            return Err(Refusal::NotHttp);
        }
        let free_bytes = self.limit_bytes - self.body.len();
        let missing_bytes = usize::try_from(size).unwrap_or(usize::MAX);
        if missing_bytes > free_bytes {
            return Err(Refusal::TooBig { limit_bytes: self.limit_bytes });
        }
        self.next = if missing_bytes == 0 { Next::Trailer } else { Next::Data { missing_bytes } };
        Ok(Some(used))
    }

    fn read_data(&mut self, rest: &[u8], missing_bytes: usize) -> usize {
        let used = rest.len().min(missing_bytes);
        self.body.extend_from_slice(&rest[..used]);
        self.next = match missing_bytes - used {
            0 => Next::EndOfData,
            missing_bytes => Next::Data { missing_bytes },
        };
        used
    }

    fn read_end_of_data(&mut self, rest: &[u8]) -> Result<Option<usize>, Refusal> {
        match rest {
            [b'\r', b'\n', ..] => {
                self.next = Next::Size;
                Ok(Some(2))
            }
            [] | [b'\r'] => Ok(None),
            _ => Err(Refusal::NotHttp),
        }
    }

    /// Trailers are read and thrown away.
    fn read_trailer(&mut self, rest: &[u8]) -> Result<Option<usize>, Refusal> {
        let Some(line) = line(rest)? else { return Ok(None) };
        if matches!(line, b"\n" | b"\r\n") {
            self.next = Next::Nothing;
        }
        Ok(Some(line.len()))
    }

    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.body.capacity()
    }
}

/// The line that `rest` begins with, its end included.
fn line(rest: &[u8]) -> Result<Option<&[u8]>, Refusal> {
    let window = &rest[..rest.len().min(MAX_LINE_BYTES)];
    match window.iter().position(|byte| *byte == b'\n') {
        Some(end) => Ok(Some(&rest[..=end])),
        None if window.len() == MAX_LINE_BYTES => Err(Refusal::NotHttp),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use contract::Refusal;

    use super::Chunked;

    /// Reads `raw` in pieces of `step` bytes: the body, and what was left of `raw` after it.
    fn read(raw: &[u8], step: usize) -> Result<Option<(Vec<u8>, usize)>, Refusal> {
        let mut chunked = Chunked::new(20);
        let mut pending = Vec::new();
        for piece in raw.chunks(step) {
            pending.extend_from_slice(piece);
            let used = chunked.read(&pending)?;
            pending.drain(..used);
        }
        Ok(chunked.take_body().map(|body| (body, pending.len())))
    }

    #[test]
    fn reads_a_body_however_it_is_cut() {
        let raw = b"4\r\nWiki\r\n6;ext=\"x\"\r\npedia \r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nnext";
        for step in 1..=raw.len() {
            let whole = read(raw, step);
            assert_eq!(whole, Ok(Some((b"Wikipedia 0123456789".to_vec(), 4))), "steps of {step}");
        }
        assert_eq!(read(b"4\r\nWiki\r\n0\r\n", 1), Ok(None));
    }

    #[test]
    fn refuses_what_is_no_chunk_or_over_the_limit() {
        assert_eq!(read(b"\r\n", 1), Err(Refusal::NotHttp), "no size");
        assert_eq!(read(b"4;a\nb\r\n", 1), Err(Refusal::NotHttp), "a bare line feed");
        assert_eq!(read(b"x\r\n", 1), Err(Refusal::NotHttp));
        assert_eq!(read(b"4\r\nWiki6\r\n", 1), Err(Refusal::NotHttp));
        assert_eq!(read(&[b'0'; 2000], 7), Err(Refusal::NotHttp), "an endless line");
        assert_eq!(read(b"15\r\n", 1), Err(Refusal::TooBig { limit_bytes: 20 }), "0x15 is 21");
        assert_eq!(read(b"14\r\n01234567890123456789\r\n1\r\n", 1), Err(Refusal::TooBig { limit_bytes: 20 }));
    }
}
