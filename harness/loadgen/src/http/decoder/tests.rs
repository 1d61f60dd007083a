use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const STREAM: &str = "HTTP/1.1 100 Continue\r\n\r\n\
    HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream;charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n\
    5\r\ndata:\r\n00A;name=\"value\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n\
    HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n\
    HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n[]\
    HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n\
    HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 until the end";

fn answers() -> Vec<Answer> {
    let answer = |status, is_event_stream, until_close, body: &str| {
        (Head { status, is_event_stream, until_close }, body.to_owned(), !until_close)
    };
    vec![
        answer(200, true, false, "data:0123456789"),
        answer(204, false, false, ""),
        answer(200, false, false, "[]"),
        answer(202, false, false, ""),
        answer(200, false, true, "HTTP/1.1 until the end"),
    ]
}

/// A head, as much of the body as has come, and whether that is all.
type Answer = (Head, String, bool);

/// What a decoder of bodies up to a million bytes makes of these pieces.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Answer>, Loss> {
    let mut decoder = Decoder::up_to(1_000_000);
    let mut answers: Vec<Answer> = Vec::new();
    for mut piece in pieces {
        while let Some(part) = decoder.next(&mut piece)? {
            match (part, answers.last_mut()) {
                (Part::Head(head), _) => answers.push((head, String::new(), false)),
                (Part::Data(data), Some((_, body, false))) if !data.is_empty() => {
                    body.push_str(str::from_utf8(data).expect("pieces of ASCII"));
                }
                (Part::End, Some((_, _, ended @ false))) => *ended = true,
                (part, answer) => panic!("{part:?} after {answer:?}"),
            }
        }
        assert!(piece.is_empty(), "all is read");
        assert!(decoder.kept.len() <= MAX_HEAD_BYTES);
    }
    Ok(answers)
}

#[test]
fn answers_are_the_same_split_at_every_byte() {
    for at in 0..=STREAM.len() {
        let (front, back) = STREAM.as_bytes().split_at(at);
        assert_eq!(read([front, back]), Ok(answers()), "split at {at}");
    }
    assert_eq!(read(STREAM.as_bytes().chunks(1)), Ok(answers()), "byte by byte");
}

#[test]
fn nothing_is_kept_between_two_answers_nor_within_a_body() {
    let mut decoder = Decoder::up_to(u64::MAX);
    for piece in ["HTTP/1.1 200 OK\r\nTransfer-", "Encoding: chunked\r\n\r\nffffffffffff", "fff0\r\nendless"]
    {
        let mut piece = piece.as_bytes();
        while decoder.next(&mut piece).expect("an answer").is_some() {}
    }
    assert_eq!(decoder.kept.capacity(), 0);
}

#[test]
fn what_is_no_answer_or_too_long_is_told_by_its_cause_however_it_is_split() {
    let sized = |length: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let chunked = |body: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let malformed = [
        ("SSH-2.0-OpenSSH_9.6\r\n".to_owned(), "not HTTP/1.1"),
        (format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(20_000)), "a head longer than 16 KiB"),
        (format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(20_000)), "a head longer than 16 KiB"),
        (sized("+2"), "the Content-Length"),
        (sized("99999999999999999999"), "the Content-Length"),
        (sized("1000001"), "a body that is too long"),
        (format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1_000_001)), "a body that is too long"),
        (chunked("ffffffffffffffff\r\n"), "a body that is too long"),
        (chunked("2\r\nab\r\nf423f\r\n"), "a body that is too long"),
        (chunked("fffffffffffffffff\r\n"), "the chunks of the body"),
        (chunked("\r\n"), "the chunks of the body"),
        (chunked(" 1\r\n"), "the chunks of the body"),
        (chunked("-1\r\n"), "the chunks of the body"),
        (chunked("1\nx\r\n"), "the chunks of the body"),
        (chunked("1\r\nxx"), "the chunks of the body"),
        (chunked("1\r\nx\rx"), "the chunks of the body"),
        (chunked(&format!("1;{}", "x".repeat(300))), "the chunks of the body"),
        (chunked(&format!("1;{}\r\nx\r\n", "x".repeat(300))), "the chunks of the body"),
        (chunked(&format!("0\r\nX: {}", "x".repeat(20_000))), "trailers longer than 16 KiB"),
        (chunked("0\r\nno field\r\n\r\n"), "the headers"),
    ];
    for (stream, cause) in malformed {
        let shown = &stream[..stream.len().min(100)];
        assert_eq!(read([stream.as_bytes()]), Err(Loss::Malformed(cause)), "{shown}");
        // The heads of tens of thousands of bytes are read again and again: not byte by byte here.
        let piece = if stream.len() > 1000 { 997 } else { 1 };
        assert_eq!(read(stream.as_bytes().chunks(piece)), Err(Loss::Malformed(cause)), "{shown}");
    }
    assert_eq!(read([&b"HTTP/1.1 101 Switching Protocols\r\n\r\n"[..]]), Err(Loss::Status(101)));
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in vec(any::<Index>(), 0..20)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(STREAM.len() + 1)).collect();
        cuts.extend([0, STREAM.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &STREAM.as_bytes()[pair[0]..pair[1]]);
        prop_assert_eq!(read(pieces), Ok(answers()));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, cut in 0..=STREAM.len(), at: Index) {
        let mut decoder = Decoder::up_to(100);
        let (front, back) = bytes.split_at(at.index(bytes.len() + 1));
        for mut piece in [&STREAM.as_bytes()[..cut], front, back] {
            while let Ok(Some(_)) = decoder.next(&mut piece) {}
        }
    }
}
