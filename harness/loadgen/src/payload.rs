use std::ops::Range;

use fastrand::Rng;

use crate::load::Kind;

/// Hexadecimal digits at the start of an echo message that are its own; those after are the same in all.
const STAMP_BYTES: usize = 16;

/// The payload of echo messages: a stamp that differs in each, then a fill that is the same in all.
///
/// A message too short for its stamp carries the lowest digits of it.
#[derive(Debug)]
pub(crate) struct Template {
    stamp_bytes: usize,
    fill: Box<[u8]>,
}

impl Template {
    pub(crate) fn new(payload_bytes: usize, kind: Kind) -> Self {
        let stamp_bytes = payload_bytes.min(STAMP_BYTES);
        Self { stamp_bytes, fill: fill(payload_bytes - stamp_bytes, kind) }
    }

    /// A message's payload, in two parts. `digits` is room for the first.
    pub(crate) fn parts<'a>(&'a self, stamp: u64, digits: &'a mut [u8; STAMP_BYTES]) -> [&'a [u8]; 2] {
        *digits = hex(stamp);
        [&digits[STAMP_BYTES - self.stamp_bytes..], &self.fill]
    }
}

/// Where the check of one message stands that arrives in pieces.
#[derive(Debug, Default)]
pub(crate) struct Check {
    position: usize,
    found: [u8; STAMP_BYTES],
    fill_differs: bool,
}

/// The message is longer than the template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// What a complete message was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Byte for byte the expected one.
    Right,
    /// That of another stamp, as far as its digits go.
    Stamp(u64),
    /// Of no stamp, or of another length.
    Differs,
}

impl Check {
    /// Compares the next piece in place.
    pub(crate) fn piece(&mut self, template: &Template, mut bytes: &[u8]) -> Result<(), TooLong> {
        if self.position < template.stamp_bytes {
            let taken = bytes.len().min(template.stamp_bytes - self.position);
            let (stamp, rest) = bytes.split_at(taken);
            self.found[self.position..self.position + taken].copy_from_slice(stamp);
            self.position += taken;
            bytes = rest;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let at = self.position - template.stamp_bytes;
        let expected = template.fill.get(at..at + bytes.len()).ok_or(TooLong)?;
        self.fill_differs |= bytes != expected;
        self.position += bytes.len();
        Ok(())
    }

    /// The message is complete: was it that of `expected`?
    pub(crate) fn verdict(&self, template: &Template, expected: u64) -> Verdict {
        let length = template.stamp_bytes;
        let found = &self.found[..length];
        if self.fill_differs || self.position != length + template.fill.len() {
            Verdict::Differs
        } else if *found == hex::<STAMP_BYTES>(expected)[STAMP_BYTES - length..] {
            Verdict::Right
        } else {
            unhex(found).map_or(Verdict::Differs, Verdict::Stamp)
        }
    }
}

/// Bytes that no two places of a message share by rule, so that any shift shows. Text is letters and
/// digits, which neither UTF-8 nor JSON changes.
pub(crate) fn fill(length: usize, kind: Kind) -> Box<[u8]> {
    let mut random = Rng::with_seed(6455);
    match kind {
        Kind::Text => (0..length).map(|_| random.alphanumeric() as u8).collect(),
        Kind::Binary => (0..length).map(|_| random.u8(..)).collect(),
    }
}

/// The lowest `N` hexadecimal digits of a number, in lower case.
pub(crate) fn hex<const N: usize>(value: u64) -> [u8; N] {
    let mut digits = [0; N];
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(value >> (4 * place)) as usize & 0xf];
    }
    digits
}

/// The number that at most sixteen such digits stand for; `None` if they are not digits in lower case.
pub(crate) fn unhex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, &digit| {
        let nibble = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u64::from(nibble))
    })
}

/// What the data of a publication says about itself, in fixed-width hexadecimal digits before the fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Note {
    /// Number of the publisher, below 2^16.
    pub(crate) publisher: u32,
    /// Its publications are numbered from 0.
    pub(crate) sequence: u32,
    /// When it was meant to be sent, by the run's clock; below 2^48, which is three days.
    pub(crate) intended_ns: u64,
}

const PUBLISHER: Range<usize> = 0..4;
const SEQUENCE: Range<usize> = 4..12;
const INTENDED: Range<usize> = 12..24;
const CHECKSUM: Range<usize> = 24..32;

impl Note {
    /// Length of a note: the least data that a publication can have.
    pub(crate) const BYTES: usize = CHECKSUM.end;

    pub(crate) fn write(&self) -> [u8; Self::BYTES] {
        let mut digits = [0; Self::BYTES];
        digits[PUBLISHER].copy_from_slice(&hex::<4>(u64::from(self.publisher)));
        digits[SEQUENCE].copy_from_slice(&hex::<8>(u64::from(self.sequence)));
        digits[INTENDED].copy_from_slice(&hex::<12>(self.intended_ns));
        digits[CHECKSUM].copy_from_slice(&hex::<8>(self.checksum()));
        digits
    }

    /// Reads a note; `None` if it is none, or was changed on its way.
    pub(crate) fn read(digits: &[u8; Self::BYTES]) -> Option<Self> {
        let note = Self {
            publisher: unhex(&digits[PUBLISHER])? as u32,
            sequence: unhex(&digits[SEQUENCE])? as u32,
            intended_ns: unhex(&digits[INTENDED])?,
        };
        (unhex(&digits[CHECKSUM])? == note.checksum()).then_some(note)
    }

    /// 32 bits that change with any of the others: the multiply and shift of splitmix64.
    fn checksum(&self) -> u64 {
        let mut mixed = self.intended_ns ^ u64::from(self.publisher) << 48;
        for _ in 0..2 {
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ u64::from(self.sequence);
        }
        mixed >> 32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(template: &Template, stamp: u64) -> Vec<u8> {
        template.parts(stamp, &mut [0; STAMP_BYTES]).concat()
    }

    fn check(template: &Template, pieces: &[&[u8]], expected: u64) -> Result<Verdict, TooLong> {
        let mut check = Check::default();
        for piece in pieces {
            check.piece(template, piece)?;
        }
        Ok(check.verdict(template, expected))
    }

    #[test]
    fn a_message_too_short_for_its_stamp_carries_the_lowest_digits() {
        for (bytes, digits) in [(0, ""), (1, "f"), (3, "def"), (16, "0000000000abcdef")] {
            assert_eq!(message(&Template::new(bytes, Kind::Text), 0xabcdef), digits.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn any_split_of_the_right_message_is_right(
            bytes in 0usize..100, stamp: u64, binary: bool, cuts in (0usize..100, 0usize..100),
        ) {
            let template = Template::new(bytes, if binary { Kind::Binary } else { Kind::Text });
            let message = message(&template, stamp);
            prop_assert_eq!(message.len(), bytes);
            let (first, second) = (cuts.0.min(cuts.1).min(bytes), cuts.0.max(cuts.1).min(bytes));
            let pieces = [&message[..first], &message[first..second], &message[second..]];
            prop_assert_eq!(check(&template, &pieces, stamp), Ok(Verdict::Right));
        }

        #[test]
        fn one_changed_byte_is_not_right(bytes in 1usize..100, stamp: u64, place: usize, flip in 1u8..) {
            let template = Template::new(bytes, Kind::Text);
            let mut message = message(&template, stamp);
            message[place % bytes] ^= flip;
            prop_assert_ne!(check(&template, &[&message], stamp), Ok(Verdict::Right));
        }

        #[test]
        fn another_length_is_not_right(bytes in 1usize..100, stamp: u64) {
            let template = Template::new(bytes, Kind::Text);
            let mut message = message(&template, stamp);
            prop_assert_eq!(check(&template, &[&message[..bytes - 1]], stamp), Ok(Verdict::Differs));
            message.push(0);
            prop_assert_eq!(check(&template, &[&message], stamp), Err(TooLong));
        }

        #[test]
        fn the_message_of_another_stamp_is_told_by_it(stamp: u64, other: u64) {
            prop_assume!(stamp != other);
            let template = Template::new(64, Kind::Text);
            prop_assert_eq!(check(&template, &[&message(&template, other)], stamp), Ok(Verdict::Stamp(other)));
        }

        #[test]
        fn a_note_is_read_as_it_was_written_and_not_if_a_byte_changed(
            publisher in 0u32..1 << 16, sequence: u32, intended_ns in 0u64..1 << 48,
            place in 0..Note::BYTES, flip in 1u8..,
        ) {
            let note = Note { publisher, sequence, intended_ns };
            let mut written = note.write();
            prop_assert_eq!(Note::read(&written), Some(note));
            written[place] ^= flip;
            prop_assert_eq!(Note::read(&written), None);
        }
    }
}
