use std::io::Write;

use serde::Deserialize;

use super::check::Sink;
use super::delivered::Delivered;
use crate::http::Answers;
use crate::loss::Loss;

/// Longest answer to a poll, but for one that holds a single publication: the contract's `POLL_BYTES`.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
const NO_ARRAY: Loss = Loss::Malformed("no array of publications");

/// A subscriber on `GET /poll` by a keep-alive connection: each answer is followed by the poll for what comes after it.
///
/// No answer tells when the first poll has arrived, so the publications before it are asked for as well: those after the
/// newest there was when the connection was opened, of which `GET /stats` tells.
#[derive(Debug)]
pub(super) struct LongPoll {
    answers: Answers,
    /// The newest id; `None` until it is open.
    after: Option<u64>,
    /// Is an answer to come?
    is_waiting: bool,
}

/// What is wanted of the answer to `GET /stats`.
#[derive(Deserialize)]
struct Stats {
    publications: u64,
}

impl LongPoll {
    /// For publications whose JSON is at most so long.
    pub(super) fn new(max_json_bytes: usize) -> Self {
        let most_bytes = MAX_ANSWER_BYTES.max(max_json_bytes + "[]".len());
        Self { answers: Answers::up_to(most_bytes as u64), after: None, is_waiting: false }
    }

    pub(super) fn is_open(&self) -> bool {
        self.after.is_some()
    }

    /// Asks for what comes next, unless an answer is to come; `end` is that of every request.
    pub(super) fn ask(&mut self, end: &[u8], out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_waiting, true) {
            return;
        }
        // Writing to memory does not fail.
        let _ = match self.after {
            None => write!(out, "GET /stats"),
            Some(id) => write!(out, "GET /poll?after={id}"),
        };
        out.extend_from_slice(end);
    }

    pub(super) fn receive(&mut self, bytes: &[u8], sink: &mut Sink) -> Result<(), Loss> {
        let Self { answers, after, is_waiting } = self;
        answers.receive(bytes, |status, body| {
            if !std::mem::take(is_waiting) {
                return Err(Loss::Malformed("an answer to no request"));
            }
            *after = match (*after, status) {
                (None, 200) => {
                    let stats = serde_json::from_slice::<Stats>(body);
                    Some(stats.map_err(|_| Loss::Malformed("no number of publications"))?.publications)
                }
                (Some(newest), 200) => Some(newest.max(deliver(body, sink)?)),
                (Some(newest), 204) => Some(newest),
                (_, status) => return Err(Loss::Status(status)),
            };
            Ok(())
        })
    }
}

/// Hands on each publication of an answer: the last one's id.
fn deliver(body: &[u8], sink: &mut Sink) -> Result<u64, Loss> {
    let mut rest = body.strip_prefix(b"[").ok_or(NO_ARRAY)?;
    loop {
        let delivered = Delivered::take(&mut rest, &sink.check.fill).ok_or(NO_ARRAY)?;
        let id = delivered.id;
        sink.deliver(Some(delivered));
        rest = match rest {
            b"]" => return Ok(id),
            [b',', rest @ ..] => rest,
            _ => return Err(NO_ARRAY),
        };
    }
}
