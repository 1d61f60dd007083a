//! One question at a time on one connection, and each answer checked: what `xhr`, `countdown` and `connect` have in
//! common. No sockets.

use std::io::Write as _;
use std::net::SocketAddr;

use framing::Opcode;

use crate::engine::{Context, Role};
use crate::http::Answers;
use crate::loss::Loss;
use crate::websocket::{Client, write_frame};
use crate::wrong;

/// No right answer over a WebSocket is longer.
const MAX_MESSAGE_BYTES: usize = 64;

/// What is asked about a count N, and what the right answer is, byte for byte.
#[derive(Debug)]
pub(crate) enum Topic {
    /// `GET /xhr?count=N`: `{"count":N-1}`. What follows N in a request, and in the last one of a connection.
    Xhr { rest: Vec<u8>, last_rest: Vec<u8> },
    /// `{"count":N}` on `WS /ws/countdown`: `{"count":N-1}`.
    Countdown,
    /// `{"count":N}` on `WS /ws/echo`: the same.
    Echo,
}

impl Topic {
    /// Counts over HTTP.
    pub(crate) fn xhr(host: SocketAddr) -> Self {
        let rest = |more: &str| format!(" HTTP/1.1\r\nHost: {host}\r\n{more}\r\n").into_bytes();
        Self::Xhr { rest: rest(""), last_rest: rest("Connection: close\r\n") }
    }

    /// How a connection begins.
    pub(crate) fn role(&self) -> Role {
        match self {
            Self::Xhr { .. } => Role::Http,
            Self::Countdown => Role::WebSocket("/ws/countdown"),
            Self::Echo => Role::WebSocket("/ws/echo"),
        }
    }

    /// Appends the question about `count`.
    fn write(&self, count: u64, is_last: bool, context: &mut Context) {
        // Writing to memory does not fail.
        if let Self::Xhr { rest, last_rest } = self {
            let _ = write!(context.out, "GET /xhr?count={count}");
            return context.out.extend_from_slice(if is_last { last_rest } else { rest });
        }
        let mut message = [0; MAX_MESSAGE_BYTES];
        let mut room = message.as_mut_slice();
        let _ = write!(room, "{{\"count\":{count}}}");
        let length = MAX_MESSAGE_BYTES - room.len();
        write_frame(Opcode::Text, [&message[..length], &[]], &mut context.random, &mut context.out);
    }

    /// Is this the right answer?
    fn is_answer(&self, count: u64, body: &[u8]) -> bool {
        let expected = if let Self::Echo = self { count } else { count - 1 };
        let digits = body.strip_prefix(br#"{"count":"#).and_then(|rest| rest.strip_suffix(b"}"));
        digits.is_some_and(|digits| decimal(digits) == Some(expected))
    }
}

/// The number that these digits are the shortest form of.
fn decimal(digits: &[u8]) -> Option<u64> {
    let is_shortest = matches!(digits, [b'0'] | [b'1'..=b'9', ..]);
    if !is_shortest {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The count of a connection's question with this number: another in each, with nine digits in all, so that all are
/// of one length, as are the answers.
pub(crate) fn scattered(connection: u64, question: u64) -> u64 {
    let scattered = connection.wrapping_mul(1_000_003).wrapping_add(question.wrapping_mul(618_033_989));
    100_000_001 + scattered % 899_999_999
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Dialogue {
    line: Line,
    /// The question that is out.
    asked: Option<Asked>,
    /// No more is asked: the server is to end the connection.
    leaving: bool,
}

#[derive(Debug)]
enum Line {
    Http(Answers),
    /// With a message that has arrived in part.
    WebSocket(Client, Vec<u8>),
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    count: u64,
    sent_ns: u64,
}

impl Dialogue {
    /// Of a connection that is yet to be opened.
    pub(crate) fn new(topic: &Topic) -> Self {
        let line = match topic {
            Topic::Xhr { .. } => Line::Http(Answers::default()),
            Topic::Countdown | Topic::Echo => Line::WebSocket(Client::new(), Vec::new()),
        };
        Self { line, asked: None, leaving: false }
    }

    /// Is a question out?
    pub(crate) fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }

    /// Asks about `count`, above 0: when. No question may be out. With the last one a server is asked to end the
    /// connection too, if it is over HTTP (RFC 9112, section 9.6).
    pub(crate) fn ask(&mut self, topic: &Topic, count: u64, is_last: bool, context: &mut Context) -> u64 {
        topic.write(count, is_last, context);
        self.leaving = is_last && matches!(self.line, Line::Http(_));
        let sent_ns = context.clock.now_ns();
        self.asked = Some(Asked { count, sent_ns });
        context.tally.sent += u64::from(context.schedule.counts(sent_ns));
        sent_ns
    }

    /// Asks the server to end a WebSocket, after the last answer.
    pub(crate) fn leave(&mut self, context: &mut Context) {
        if let Line::WebSocket(client, _) = &mut self.line {
            client.close(&mut context.random, &mut context.out);
            self.leaving = true;
        }
    }

    /// Has the server been asked to end the connection?
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Is all said? On a WebSocket both have to say so (RFC 6455, section 7.1.1).
    pub(crate) fn is_over(&self) -> bool {
        self.leaving
            && !self.is_waiting()
            && match &self.line {
                Line::Http(_) => true,
                Line::WebSocket(client, _) => client.is_closed(),
            }
    }

    /// Takes what arrived, and counts the answer to the question that is out, if it is there, and what is wrong.
    ///
    /// # Errors
    /// What makes the connection useless.
    pub(crate) fn receive(
        &mut self,
        topic: &Topic,
        mut bytes: &mut [u8],
        at_ns: u64,
        context: &mut Context,
    ) -> Result<(), Loss> {
        let asked = &mut self.asked;
        match &mut self.line {
            Line::Http(answers) => answers.receive(bytes, |status, body| {
                let wrong = (status != 200).then(|| format!("a request answered with HTTP {status}"));
                answered(asked, wrong, |count| topic.is_answer(count, body), at_ns, context);
                Ok(())
            }),
            Line::WebSocket(client, message) => {
                while let Some(chunk) = client.next(&mut bytes, &mut context.random, &mut context.out)? {
                    let is_text = chunk.opcode == Opcode::Text;
                    if chunk.first && chunk.last {
                        let is_right = |count| is_text && topic.is_answer(count, chunk.payload);
                        answered(asked, None, is_right, at_ns, context);
                        continue;
                    }
                    message.extend_from_slice(chunk.payload);
                    if message.len() > MAX_MESSAGE_BYTES {
                        return Err(Loss::TooLong);
                    }
                    if chunk.last {
                        let whole = std::mem::take(message);
                        let is_right = |count| is_text && topic.is_answer(count, &whole);
                        answered(asked, None, is_right, at_ns, context);
                    }
                }
                Ok(())
            }
        }
    }
}

/// An answer has arrived. It may be known to be `wrong` already.
fn answered(
    asked: &mut Option<Asked>,
    wrong: Option<String>,
    is_right: impl FnOnce(u64) -> bool,
    at_ns: u64,
    context: &mut Context,
) {
    let Some(Asked { count, sent_ns }) = asked.take() else {
        return context.tally.error("an answer to no request", 1);
    };
    if let Some(wrong) = wrong {
        return context.tally.error(wrong, 1);
    }
    if !is_right(count) {
        return context.tally.error(wrong::OTHER_ANSWER, 1);
    }
    context.arrived(at_ns, at_ns - sent_ns);
    if context.schedule.counts(at_ns) {
        context.tally.latency.record_ns(at_ns - sent_ns);
    }
}

#[cfg(test)]
mod tests;
