use super::Fixture;

/// How far a client has read one feed, and whether all of that was right.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// When it was asked for; `None`: none is.
    pub(super) asked_ns: Option<u64>,
    /// When the first item was there, and the last so far.
    first_ns: Option<u64>,
    last_ns: Option<u64>,
    /// Items that are there as a whole.
    pub(super) items: usize,
    /// Bytes of the item in progress; of an array, of all of it.
    offset: usize,
    /// What was wrong first.
    fault: Option<String>,
}

/// It is another feed, or none.
const DIFFERS: &str = "a feed that differs from the first one fetched";

impl Reading {
    /// One that is asked for now.
    pub(super) fn asked(at_ns: u64) -> Self {
        Self { asked_ns: Some(at_ns), ..Self::default() }
    }

    /// Something is wrong with it.
    pub(super) fn blame(&mut self, fault: impl Into<String>) {
        self.fault.get_or_insert_with(|| fault.into());
    }

    /// It has come to its end: how long it took, in ns, to the first item and to the last.
    ///
    /// # Errors
    /// What was wrong with it, if it is not byte for byte the right one.
    pub(super) fn finish(mut self, fixture: &Fixture) -> Result<(u64, u64), String> {
        if self.items != fixture.items() {
            self.blame(DIFFERS);
        }
        match (self.fault, self.asked_ns, self.first_ns, self.last_ns) {
            (None, Some(asked_ns), Some(first_ns), Some(last_ns)) => {
                Ok((first_ns - asked_ns, last_ns - asked_ns))
            }
            (fault, ..) => Err(fault.unwrap_or_else(|| DIFFERS.to_owned())),
        }
    }

    /// The next bytes of the array of all items.
    pub(super) fn array(&mut self, bytes: &[u8], fixture: &Fixture, at_ns: u64) {
        let array = fixture.array();
        self.compare(array.get(self.offset..), bytes);
        self.offset += bytes.len();
        // Which of those between the first and the last are there by now, nobody wants to know.
        let first = fixture.item(0).map_or(usize::MAX, |item| item.len() + 1);
        if self.offset >= first && self.items == 0 {
            self.complete(at_ns);
        }
        if self.offset == array.len() {
            self.items = fixture.items();
            self.last_ns = Some(at_ns);
        }
    }

    /// The next bytes of an item, and whether it ends with them.
    pub(super) fn piece(&mut self, bytes: &[u8], ends: bool, fixture: &Fixture, at_ns: u64) {
        let item = fixture.item(self.items);
        self.compare(item.and_then(|item| item.get(self.offset..)), bytes);
        self.offset += bytes.len();
        if ends {
            if item.is_none_or(|item| item.len() != self.offset) {
                self.blame(DIFFERS);
            }
            self.offset = 0;
            self.complete(at_ns);
        }
    }

    fn complete(&mut self, at_ns: u64) {
        self.items += 1;
        self.first_ns.get_or_insert(at_ns);
        self.last_ns = Some(at_ns);
    }

    fn compare(&mut self, expected: Option<&[u8]>, bytes: &[u8]) {
        if !expected.is_some_and(|expected| expected.starts_with(bytes)) {
            self.blame(DIFFERS);
        }
    }
}
