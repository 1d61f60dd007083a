//! Properties that hold this crate against `tokio-websockets`, which shares no code with it.

mod common;

use common::{Message, WireFrame, cuts, messages, of_theirs, parse, wild_frames, wire};
use framing::{Header, Opcode, Parser};
use proptest::prelude::*;

proptest! {
    /// Masked and unmasked, whole and in fragments, however the bytes are cut.
    #[test]
    fn reads_what_the_oracle_writes(
        messages in messages(),
        frame_bytes in 1..400_usize,
        masked: bool,
        cuts in cuts(),
    ) {
        let bytes = of_theirs::write(&messages, frame_bytes, masked);
        let (read, error) = parse(&bytes, &cuts, masked);
        prop_assert_eq!(error, None);
        prop_assert_eq!(read, messages);
    }

    /// Fragments, with control frames between them.
    #[test]
    fn the_oracle_reads_what_is_encoded(
        messages in messages(),
        controls in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..=125)), 0..4),
        frame_bytes in 1..400_usize,
        masked: bool,
        cuts in cuts(),
    ) {
        let controls: Vec<Message> = controls
            .into_iter()
            .map(|(ping, payload)| (if ping { Opcode::Ping } else { Opcode::Pong }, payload))
            .collect();
        let bytes = wire(&messages, &controls, frame_bytes, masked);
        let (theirs, failed) = of_theirs::read(&bytes, masked);
        prop_assert!(!failed);
        let (ours, error) = parse(&bytes, &cuts, masked);
        prop_assert_eq!(error, None);
        prop_assert_eq!(&ours, &theirs);
        let data: Vec<_> = ours.into_iter().filter(|(opcode, _)| !opcode.is_control()).collect();
        prop_assert_eq!(data, messages);
    }

    /// Frames with any bits set: both refuse the same streams, after the same messages.
    #[test]
    fn the_oracle_refuses_what_is_refused((as_server, frames) in wild_frames(), cuts in cuts()) {
        let bytes: Vec<u8> = frames.iter().flat_map(WireFrame::bytes).collect();
        let (theirs, failed) = of_theirs::read(&bytes, as_server);
        let (ours, error) = parse(&bytes, &cuts, as_server);
        prop_assert_eq!(failed, error.is_some(), "ours: {:?}", error);
        prop_assert_eq!(ours, theirs);
    }

    /// No bytes make it panic, and how they are cut changes nothing.
    #[test]
    fn cuts_change_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200), masked: bool, cuts in cuts()) {
        prop_assert_eq!(parse(&bytes, &cuts, masked), parse(&bytes, &[], masked));
    }

    #[test]
    fn a_header_survives_its_encoding(
        fin: bool,
        opcode in prop::sample::select(vec![Opcode::Continuation, Opcode::Text, Opcode::Binary]),
        mask: Option<[u8; 4]>,
        payload_bytes in prop_oneof![0..200_u64, 65_000..66_000_u64, 0..1_u64 << 63],
        rest in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let header = Header { fin, opcode, mask, payload_bytes };
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        let length = bytes.len();
        for short in 0..length {
            prop_assert_eq!(Header::decode(&bytes[..short]), Ok(None));
        }
        bytes.extend_from_slice(&rest);
        prop_assert_eq!(Header::decode(&bytes), Ok(Some((header, length))));
    }

    /// Piece by piece or at once, and twice is never.
    #[test]
    fn a_mask_is_its_own_inverse(payload: Vec<u8>, key: [u8; 4], at in any::<prop::sample::Index>()) {
        let mut pieces = payload.clone();
        let at = at.index(payload.len() + 1);
        framing::apply_mask(&mut pieces[..at], key, 0);
        framing::apply_mask(&mut pieces[at..], key, at);
        let expected: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(byte, k)| byte ^ k).collect();
        prop_assert_eq!(&pieces, &expected);
        framing::apply_mask(&mut pieces, key, 0);
        prop_assert_eq!(pieces, payload);
    }
}

/// Every length at which the encoding changes, and every place to cut the bytes in two.
#[test]
fn any_cut_of_any_form_of_length_reads_the_same() {
    for length in [0, 1, 125, 126, 127, 65_535, 65_536] {
        let sent = vec![(Opcode::Binary, vec![7; length]), (Opcode::Text, b"next".to_vec())];
        let bytes = of_theirs::write(&sent, usize::MAX, true);
        // Within the payload one cut is like another: those near its ends are enough.
        for cut in (0..bytes.len()).filter(|at| *at < 40 || *at + 40 > bytes.len()) {
            assert_eq!(parse(&bytes, &[cut], true), (sent.clone(), None), "length {length}, cut at {cut}");
        }
        let everywhere: Vec<usize> = (0..bytes.len()).collect();
        assert_eq!(parse(&bytes, &everywhere, true), (sent, None), "length {length}, byte by byte");
    }
}

#[test]
fn an_idle_parser_is_small() {
    assert!(size_of::<Parser>() <= 40, "{} bytes", size_of::<Parser>());
}
