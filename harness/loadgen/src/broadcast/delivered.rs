use memchr::memchr_iter;

use crate::payload::Note;

/// What surrounds the data of a publication, with an id of twenty digits.
pub(super) const MAX_ENVELOPE_BYTES: usize = r#"{"id":,"data":""}"#.len() + 20;

/// A delivery that can be read as one: `{"id":I,"data":"TEXT"}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    pub(super) id: u64,
    /// What the data says about itself; `None` if it is not byte for byte what was published.
    pub(super) note: Option<Note>,
}

impl Delivered {
    /// Reads a message; every publication's data is a note and then `fill`. `None` if it is no delivery.
    pub(super) fn read(mut message: &[u8], fill: &[u8]) -> Option<Self> {
        Self::take(&mut message, fill).filter(|_| message.is_empty())
    }

    /// Takes a delivery from the front of `text`, which shrinks by it.
    pub(super) fn take(text: &mut &[u8], fill: &[u8]) -> Option<Self> {
        let rest = text.strip_prefix(br#"{"id":"#)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at(digits);
        let id = id(digits)?;
        let rest = rest.strip_prefix(br#","data":""#)?;
        let (data, rest) = rest.split_at(string_bytes(rest)?);
        *text = rest.strip_prefix(br#""}"#)?;
        let note = data.split_first_chunk().filter(|(_, rest)| *rest == fill);
        Some(Self { id, note: note.and_then(|(note, _)| Note::read(note)) })
    }
}

/// An id as the contract writes it.
pub(super) fn id(digits: &[u8]) -> Option<u64> {
    let is_number = digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
    str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// Length of the JSON string that goes on in `text`, up to the quote that closes it.
fn string_bytes(text: &[u8]) -> Option<usize> {
    memchr_iter(b'"', text).find(|&quote| {
        let backslashes = text[..quote].iter().rev().take_while(|&&byte| byte == b'\\').count();
        backslashes % 2 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILL: &[u8] = b"fill";

    fn read(message: &str) -> Option<Delivered> {
        Delivered::read(message.as_bytes(), FILL)
    }

    #[test]
    fn only_the_form_of_the_contract_is_a_delivery() {
        let note = Note { publisher: 1, sequence: 2, intended_ns: 3 };
        let digits = note.write();
        let digits = str::from_utf8(&digits).expect("digits are text");
        let right = format!(r#"{{"id":17,"data":"{digits}fill"}}"#);
        assert_eq!(read(&right), Some(Delivered { id: 17, note: Some(note) }));
        for changed in [
            right.replace("fill", "full"),
            right.replace(digits, ""),
            right.replace("000", "00"),
            right.replace("fill", r#"fi\"}ll\\"#),
        ] {
            assert_eq!(read(&changed), Some(Delivered { id: 17, note: None }), "{changed}");
        }
        for other in [
            right.replace("17", "017"),
            right.replace("17", ""),
            right.replace("17", "0"),
            right.replace("17", "-17"),
            right.replace("17", "18446744073709551616"),
            right.replace(':', ": "),
            right.replace("}", "} "),
            right.replace("fill", r#"fi"ll"#),
            right.replace("fill", r"fill\"),
            r#"{"id":17,"data":""#.to_owned(),
            String::new(),
        ] {
            assert_eq!(read(&other), None, "{other}");
        }
    }
}
