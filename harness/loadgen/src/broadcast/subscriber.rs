use framing::Opcode;

use super::order::Order;
use crate::payload::Note;
use crate::websocket::Client;

/// What surrounds the data of a publication, with an id of twenty digits.
pub(super) const MAX_ENVELOPE_BYTES: usize = r#"{"id":,"data":""}"#.len() + 20;

/// One subscriber on `WS /ws/broadcast`.
#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(super) client: Client,
    pub(super) order: Order,
    /// Publications that it has received, each once.
    pub(super) delivered: u64,
    /// Those, and the ones that it was passed over with.
    pub(super) settled: u64,
    /// A delivery that has arrived in part; empty while it is idle.
    pub(super) partial: Vec<u8>,
}

impl Subscriber {
    pub(super) fn new() -> Self {
        Self { client: Client::new(), order: Order::default(), delivered: 0, settled: 0, partial: Vec::new() }
    }
}

/// A delivery that can be read as one: `{"id":I,"data":"TEXT"}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    pub(super) id: u64,
    /// What the data says about itself; `None` if it is not byte for byte what was published.
    pub(super) note: Option<Note>,
}

impl Delivered {
    /// Reads a message; every publication's data is a note and then `fill`. `None` if it is no delivery.
    pub(super) fn read(opcode: Opcode, message: &[u8], fill: &[u8]) -> Option<Self> {
        let rest = message.strip_prefix(br#"{"id":"#).filter(|_| opcode == Opcode::Text)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (id, rest) = rest.split_at(digits);
        let id = str::from_utf8(id).ok().filter(|id| !id.starts_with('0'))?.parse().ok()?;
        let data = rest.strip_prefix(br#","data":""#)?.strip_suffix(br#""}"#)?;
        let note = data.split_first_chunk().filter(|(_, rest)| *rest == fill);
        Some(Self { id, note: note.and_then(|(note, _)| Note::read(note)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILL: &[u8] = b"fill";

    fn read(message: &str) -> Option<Delivered> {
        Delivered::read(Opcode::Text, message.as_bytes(), FILL)
    }

    #[test]
    fn only_the_form_of_the_contract_is_a_delivery() {
        let note = Note { publisher: 1, sequence: 2, intended_ns: 3 };
        let digits = note.write();
        let digits = str::from_utf8(&digits).expect("digits are text");
        let right = format!(r#"{{"id":17,"data":"{digits}fill"}}"#);
        assert_eq!(read(&right), Some(Delivered { id: 17, note: Some(note) }));
        assert_eq!(Delivered::read(Opcode::Binary, right.as_bytes(), FILL), None);
        for changed in [right.replace("fill", "full"), right.replace(digits, ""), right.replace("000", "00")]
        {
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
            r#"{"id":17,"data":""#.to_owned(),
            String::new(),
        ] {
            assert_eq!(read(&other), None, "{other}");
        }
    }
}
