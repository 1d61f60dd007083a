//! Publications, and who gets them.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use framing::Opcode;
use socket2::SockRef;

use super::{Do, Script, answer, frame};

/// A publication as a subscriber by WebSocket gets it.
pub fn delivery(id: u64, data: &str) -> Vec<u8> {
    frame(Opcode::Text, json(id, data).as_bytes())
}

/// The right head of an event stream, with its first block.
pub fn event_stream() -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    [head.as_bytes(), &chunk("retry: 1000\n\n")].concat()
}

/// A publication as a subscriber by SSE gets it.
pub fn event(id: u64, data: &str) -> Vec<u8> {
    chunk(&format!("id: {id}\ndata: {}\n\n", json(id, data)))
}

/// The right answer to a poll: publications with ids from `first` on.
pub fn answer_to_poll(first: u64, data: &[String]) -> Vec<u8> {
    let all: Vec<String> = (first..).zip(data).map(|(id, data)| json(id, data)).collect();
    answer(200, &format!("[{}]", all.join(",")))
}

fn json(id: u64, data: &str) -> String {
    format!(r#"{{"id":{id},"data":"{data}"}}"#)
}

fn chunk(data: &str) -> Vec<u8> {
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}

#[derive(Default)]
pub(super) struct Hub {
    numbers: AtomicUsize,
    state: Mutex<State>,
    published: Condvar,
}

#[derive(Default)]
struct State {
    /// The data of all publications; their ids count from 1.
    publications: Vec<String>,
    streams: Vec<Stream>,
    /// Polls that wait.
    polls: usize,
}

struct Stream {
    number: usize,
    by_sse: bool,
    stream: TcpStream,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics in here")
    }

    /// The number of the next subscriber.
    pub(super) fn number(&self) -> usize {
        self.numbers.fetch_add(1, SeqCst)
    }

    pub(super) fn newest(&self) -> usize {
        self.lock().publications.len()
    }

    /// Sends the answer and enters the subscriber, which is counted before it is answered, as the contract says.
    pub(super) fn subscribe(&self, answer: &[u8], by_sse: bool, stream: &mut TcpStream) -> Option<()> {
        let mut state = self.lock();
        state.streams.push(Stream { number: self.number(), by_sse, stream: stream.try_clone().ok()? });
        stream.write_all(answer).ok()
    }

    /// Waits for what comes after an id.
    pub(super) fn poll(&self, after: usize, number: usize, script: &Script) -> Do {
        let mut state = self.lock();
        state.polls += 1;
        let is_old = |state: &mut State| state.publications.len() <= after;
        let (mut state, _) = self
            .published
            .wait_timeout_while(state, script.poll_wait, is_old)
            .expect("no test panics in here");
        state.polls -= 1;
        match state.publications.get(after..) {
            None | Some([]) => Do::Send(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
            Some(data) => (script.polled)(after as u64 + 1, number, data),
        }
    }

    pub(super) fn publish(&self, data: &str, script: &Script) -> Do {
        let mut state = self.lock();
        state.publications.push(data.to_owned());
        let id = state.publications.len() as u64;
        state.streams.retain(|Stream { number, by_sse, stream }| {
            let (mut stream, deliver) = (stream, if *by_sse { &script.event } else { &script.deliver });
            match deliver(id, *number, data) {
                Do::Send(bytes) => stream.write_all(&bytes).is_ok(),
                Do::Trickle(bytes) => bytes.iter().all(|byte| stream.write_all(&[*byte]).is_ok()),
                Do::Last(bytes) => stream.write_all(&bytes).is_err(),
                Do::Reset(bytes) => {
                    let _ = stream.write_all(&bytes);
                    // Another thread reads from it and holds it open: the end of the reading closes it.
                    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
                    let _ = stream.shutdown(std::net::Shutdown::Read);
                    false
                }
            }
        });
        self.published.notify_all();
        (script.receipt)(id, state.streams.len() + state.polls)
    }
}
