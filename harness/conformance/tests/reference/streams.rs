//! Event streams, polls and the feed of the reference server.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use contract::{Answer, EVENT_STREAM_HEADERS, EventStream, Feed, HEARTBEAT, Refusal};
use framing::Opcode;

use super::frames::Frames;
use super::http::Request;
use super::websocket::{frame, replay_query};
use super::{Connection, Fault, Server};

/// What a request says of where to begin, with the faults of it: the query and the field.
fn after(server: &Server, request: &Request) -> (Option<String>, Option<Vec<u8>>) {
    let query = replay_query(server, request.query.as_deref());
    let field = request.any_field("Last-Event-ID").map(str::to_owned);
    let both = query.is_some() && field.is_some();
    let ignored = server.is(Fault::IgnoresLastEventId) || (server.is(Fault::PrefersTheQuery) && both);
    let as_query = field.filter(|_| !ignored).map(|id| {
        let query = replay_query(server, Some(&format!("after={id}"))).unwrap_or_default();
        query["after=".len()..].to_owned().into_bytes()
    });
    (query, as_query)
}

/// `GET /sse`; `None`: it was served to its end.
pub(super) fn sse(
    connection: &mut Connection,
    server: &Arc<Server>,
    request: &Request,
) -> io::Result<Option<Refusal>> {
    let (query, id) = after(server, request);
    let begin = |query: Option<&str>, id: Option<&[u8]>| server.app.sse(query, id);
    let stream = match begin(query.as_deref(), id.as_deref()) {
        Err(_) if server.is(Fault::AnyAfter) => begin(None, None),
        other => other,
    };
    let EventStream { first, mut subscription } = match stream {
        Ok(stream) => stream,
        Err(refusal) => return Ok(Some(refusal)),
    };
    if server.is(Fault::SubscribesStreamsAfterTheHead) {
        drop(subscription);
        head(connection, server)?;
        thread::sleep(Duration::from_millis(20));
        subscription = begin(None, None).expect("without a query nothing is wrong with it").subscription;
    } else {
        head(connection, server)?;
    }
    if !server.is(Fault::SaysNoRetry) {
        chunk(connection, &first)?;
    }
    let over = AtomicBool::new(false);
    let mut writer = Connection { stream: connection.stream.try_clone()?, input: Vec::new() };
    thread::scope(|scope| {
        scope.spawn(|| {
            // What comes is not for us; its end is.
            while connection.fill().unwrap_or(false) {
                connection.input.clear();
            }
            if !server.is(Fault::KeepsHalfEndedStreams) {
                over.store(true, SeqCst);
                server.news.ring();
            }
        });
        let mut heartbeat = server.next_heartbeat();
        let mut write = || -> io::Result<()> {
            loop {
                let heard = server.news.rings();
                if over.load(SeqCst) {
                    return Ok(());
                }
                if heartbeat.is_some_and(|due| due <= Instant::now()) {
                    chunk(&mut writer, &HEARTBEAT)?;
                    heartbeat = server.next_heartbeat();
                }
                match subscription.try_next() {
                    Ok(None) => server.news.wait(heard, heartbeat),
                    Ok(Some(block)) => deliver(&mut writer, server, &block)?,
                    Err(_) => return chunk(&mut writer, b""),
                }
            }
        };
        if write().is_err() {
            // If it lagged, asking for the next one counts it.
            let _ = subscription.try_next();
        }
        if server.is(Fault::NeverForgetsSubscribers) {
            std::mem::forget(subscription);
        } else {
            drop(subscription);
        }
        writer.farewell();
    });
    Ok(None)
}

fn head(connection: &mut Connection, server: &Server) -> io::Result<()> {
    let mut head = String::from("HTTP/1.1 200 Status\r\nTransfer-Encoding: chunked\r\n");
    for (name, value) in EVENT_STREAM_HEADERS {
        if name != "cache-control" || !server.is(Fault::CachesEventStreams) {
            head += &format!("{name}: {value}\r\n");
        }
    }
    connection.send((head + "\r\n").as_bytes())
}

/// One chunk; the last if it is empty.
fn chunk(connection: &mut Connection, bytes: &[u8]) -> io::Result<()> {
    connection.send(&[format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
}

fn deliver(writer: &mut Connection, server: &Server, block: &[u8]) -> io::Result<()> {
    let text = String::from_utf8_lossy(block);
    let block = match server.fault {
        Fault::NoSpacesInBlocks => text.replace("\ndata: ", "\ndata:"),
        Fault::ForgetsEventLines => {
            text.split_inclusive('\n').filter(|line| !line.starts_with("event:")).collect()
        }
        Fault::BreaksLinesInBlocks => text.replace(r"\n", "\ndata: "),
        Fault::ForgetsEscapes => text.replace(r#"\""#, "\""),
        Fault::CutsLongPublications if text.len() > 60_000 => format!("{}\n\n", &text[..60_000]),
        _ => text.into_owned(),
    };
    if Server::thousandth(&server.deliveries) && server.is(Fault::LosesADeliveryInAThousand) {
        return Ok(());
    }
    chunk(writer, block.as_bytes())
}

/// `GET /poll`.
pub(super) fn poll(server: &Server, request: &Request) -> Result<Answer, Refusal> {
    let query = replay_query(server, request.query.as_deref());
    let begin = |query: Option<&str>| server.app.poll(query);
    let mut poll = match begin(query.as_deref()) {
        Err(_) if server.is(Fault::AnyAfter) => begin(None)?,
        other => other?,
    };
    let deadline = Instant::now() + server.app.timing().poll_wait();
    let answer = loop {
        let heard = server.news.rings();
        if let Some(answer) = poll.try_answer() {
            break answer;
        }
        match server.fault {
            Fault::PollsEndAtOnce => break Answer::no_content(),
            Fault::PollsAnswerNothing => break Answer { status: 200, body: "[]".into() },
            Fault::PollsAreNotCounted => {
                let newest = server.app.hub().stats().publications;
                drop(poll);
                server.news.wait(heard, Some(deadline));
                poll = begin(Some(&format!("after={newest}")))?;
                if let Some(answer) = poll.try_answer() {
                    break answer;
                }
                break Answer::no_content();
            }
            _ => server.news.wait(heard, Some(deadline)),
        }
        if Instant::now() >= deadline {
            break Answer::no_content();
        }
    };
    if server.is(Fault::NeverForgetsSubscribers) {
        std::mem::forget(poll);
    }
    Ok(answer)
}

/// `GET /feed/sse`; an answer if it is not served as a stream.
pub(super) fn feed_sse(
    connection: &mut Connection,
    server: &Server,
    request: &Request,
) -> io::Result<Option<Answer>> {
    let (query, id) = after(server, request);
    let blocks = match server.app.feed_sse(query.as_deref(), id.as_deref()) {
        Err(_) if server.is(Fault::AnyAfter) => Feed::get().events(0),
        Err(refusal) => return Ok(Some(refusal.into())),
        Ok([]) if !server.is(Fault::EndsFeedsWith200) => return Ok(Some(Answer::no_content())),
        Ok(blocks) => blocks,
    };
    head(connection, server)?;
    for block in blocks {
        let block = String::from_utf8_lossy(block);
        let spaced = server.is(Fault::SpacesInItsJson);
        let block = if spaced { block.replace(r#"{"id":"#, r#"{"id": "#) } else { block.into_owned() };
        chunk(connection, block.as_bytes())?;
    }
    chunk(connection, b"")?;
    Ok(None)
}

/// `WS /feed/ws`, after its handshake.
pub(super) fn feed_ws(connection: &mut Connection, server: &Server) -> io::Result<()> {
    if server.is(Fault::HearsFeedClients) {
        let mut frames = Frames::new(server.limits.publication_bytes);
        if let Ok((opcode, bytes)) = frames.next(connection, server) {
            connection.send(&frame(server, opcode, &bytes))?;
        }
    }
    for item in server.app.feed_messages() {
        let spaced = server.is(Fault::SpacesInItsJson);
        let item = if spaced { item.replace(r#"{"id":"#, r#"{"id": "#) } else { item.clone() };
        connection.send(&frame(server, Opcode::Text, item.as_bytes()))?;
    }
    let code: u16 = if server.is(Fault::WrongCloseCode) { 1001 } else { framing::close::NORMAL };
    connection.send(&frame(server, Opcode::Close, &code.to_be_bytes()))?;
    connection.farewell();
    Ok(())
}
