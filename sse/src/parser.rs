use memchr::memchr2;

/// U+FEFF at the start of a stream is no part of it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An event as it is dispatched, in the parser's buffers: bytes as they came. Invalid UTF-8 is left to the reader:
/// `String::from_utf8_lossy` gives what the standard's decoder does, since no line break is part of a longer character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The last event ID: that of this event, or of the newest before it that had one; empty before.
    pub id: &'a [u8],
    /// The event type; `message` if it was given none.
    pub name: &'a [u8],
    /// The lines of `data`, joined by LF.
    pub data: &'a [u8],
}

/// A streaming parser of an event stream (HTML standard, section 9.2.6). It keeps its buffers from event to event, so
/// that an event is copied once and allocates nothing when they have grown to its size.
#[derive(Debug, Clone, Default)]
pub struct Parser {
    /// The start of a line whose end has not come.
    line: Vec<u8>,
    data: Vec<u8>,
    name: Vec<u8>,
    /// As the fields say; it becomes the last event ID with the next empty line.
    id: Vec<u8>,
    last_event_id: Vec<u8>,
    retry_ms: Option<u64>,
    /// Has the first line been read?
    started: bool,
    /// Did the last line end with CR? Then an LF right after it belongs to the same line break.
    after_cr: bool,
    /// Do the buffers hold an event that was handed out?
    dispatched: bool,
}

impl Parser {
    /// A parser at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event from the front of `input`, which shrinks by what was read. `None`: all of `input` was read
    /// and more is needed. An event that the end of the stream cuts off is none.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Event<'_>> {
        if self.dispatched {
            self.data.clear();
            self.name.clear();
            self.dispatched = false;
        }
        loop {
            if self.after_cr && !input.is_empty() {
                *input = input.strip_prefix(b"\n").unwrap_or(input);
                self.after_cr = false;
            }
            let Some(end) = memchr2(b'\n', b'\r', input) else {
                self.line.extend_from_slice(input);
                *input = &[];
                return None;
            };
            let (line, rest) = input.split_at(end);
            self.after_cr = rest[0] == b'\r';
            *input = &rest[1..];
            let is_dispatched = if self.line.is_empty() {
                self.read_line(line)
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                let is_dispatched = self.read_line(&whole);
                whole.clear();
                self.line = whole;
                is_dispatched
            };
            if is_dispatched {
                self.dispatched = true;
                let name = if self.name.is_empty() { b"message" } else { self.name.as_slice() };
                return Some(Event { id: &self.last_event_id, name, data: &self.data });
            }
        }
    }

    /// The last event ID: what a client sends as `Last-Event-ID` when it connects again, unless it is empty.
    #[must_use]
    pub fn last_event_id(&self) -> &[u8] {
        &self.last_event_id
    }

    /// How long the server wants a client to wait before it connects again, in milliseconds, if it has said so.
    #[must_use]
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    /// How many bytes it holds: of the event in progress, and of ids. A server may send lines and events without end.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.line.len() + self.data.len() + self.name.len() + self.id.len() + self.last_event_id.len()
    }

    /// Gives back what each of its buffers has grown to beyond `bytes` and does not hold: for streams that are many, and
    /// mostly idle.
    pub fn shrink_to(&mut self, bytes: usize) {
        for buffer in [&mut self.line, &mut self.data, &mut self.name, &mut self.id, &mut self.last_event_id]
        {
            buffer.shrink_to(bytes);
        }
    }

    /// Interprets a line; true if an event is complete with it.
    fn read_line(&mut self, mut line: &[u8]) -> bool {
        if !std::mem::replace(&mut self.started, true) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[line.len()..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            b"event" => replace(&mut self.name, value),
            b"id" if !value.contains(&0) => replace(&mut self.id, value),
            b"retry" => self.retry_ms = milliseconds(value).or(self.retry_ms),
            // A comment, whose field has no name, or a field that the standard does not know.
            _ => {}
        }
        false
    }

    fn dispatch(&mut self) -> bool {
        self.last_event_id.clone_from(&self.id);
        if self.data.is_empty() {
            self.name.clear();
            return false;
        }
        self.data.pop();
        true
    }
}

fn replace(buffer: &mut Vec<u8>, value: &[u8]) {
    buffer.clear();
    buffer.extend_from_slice(value);
}

/// Digits alone make a time; more of them than 64 bits hold, the longest.
fn milliseconds(value: &[u8]) -> Option<u64> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let digits = str::from_utf8(value).ok().filter(|_| is_number)?;
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_that_have_grown_are_given_back() {
        let mut parser = Parser::new();
        let event = format!("id: 7\nevent: {0}\ndata: {0}\n\n", "x".repeat(10_000));
        let (start, end) = event.split_at(15_000);
        for mut piece in [start, end].map(str::as_bytes) {
            while parser.next(&mut piece).is_some() {}
        }
        parser.shrink_to(100);
        let Parser { line, data, name, id, last_event_id, .. } = &parser;
        assert!([line, data, name, id, last_event_id].iter().all(|buffer| buffer.capacity() <= 100));
    }
}
