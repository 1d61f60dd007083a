//! The WebSocket side of the reference server.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use contract::{Close, Ending, Refusal, Subscription};
use framing::{Header, Opcode};

use super::frames::Frames;
use super::output::Output;
use super::{Connection, Fault, Server};

/// One frame of a server.
pub(super) fn frame(server: &Server, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mask = server.is(Fault::MasksItsFrames).then_some([0; 4]);
    let mut bytes = Vec::new();
    Header { fin: true, opcode, mask, payload_bytes: payload.len() as u64 }.encode(&mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

pub(super) fn echo(connection: &mut Connection, server: &Server) -> io::Result<()> {
    let mut frames = Frames::new(server.limits.echo_bytes);
    let (unbounded, queue) = mpsc::channel::<Vec<u8>>();
    let mut writer = Connection { stream: connection.stream.try_clone()?, input: Vec::new() };
    if server.is(Fault::ReadsOnWhenUnread) {
        thread::spawn(move || queue.iter().try_for_each(|bytes| writer.send(&bytes)));
    }
    let mut output = Vec::new();
    let mut held = None;
    let (ending, close) = loop {
        match frames.next(connection, server) {
            Ok((Opcode::Ping, bytes)) => {
                let bytes = if server.is(Fault::EmptyPongs) { Vec::new() } else { bytes };
                let pong = frame(server, Opcode::Pong, &bytes);
                if server.is(Fault::HoldsPongsUntilTheMessageEnds) && frames.is_within_a_message() {
                    held = Some(pong);
                } else {
                    output.extend(pong);
                }
            }
            Ok((Opcode::Pong, bytes)) if server.is(Fault::AnswersPongs) => {
                output.extend(frame(server, Opcode::Pong, &bytes));
            }
            Ok((Opcode::Pong, _)) => {}
            Ok((Opcode::Close, bytes)) => break (Ending::Gone, Some(bytes)),
            Ok((opcode, mut bytes)) => {
                let opcode = if server.is(Fault::EchoesTextAsBinary) { Opcode::Binary } else { opcode };
                if server.is(Fault::StripsByteOrderMarks) && bytes.starts_with("\u{feff}".as_bytes()) {
                    bytes.drain(..3);
                }
                let thousandth = Server::thousandth(&server.echoes);
                if server.is(Fault::SwapsAByteInAThousand) && thousandth {
                    bytes[5] ^= 1;
                }
                let reply = frame(server, opcode, &bytes);
                if server.is(Fault::SwapsTwoInAThousand) && thousandth {
                    held = Some(reply);
                } else {
                    output.extend(reply);
                    output.extend(held.take().unwrap_or_default());
                }
            }
            Err(ending) => break (ending, None),
        }
        if server.is(Fault::ReadsOnWhenUnread) {
            // It fails when the writer has, which the next read will show.
            let _ = unbounded.send(std::mem::take(&mut output));
        } else if !server.is(Fault::ForgetsWhatCameBeforeAClose) || connection.input.is_empty() {
            connection.send(&std::mem::take(&mut output))?;
        }
    };
    if let Some(last) = farewell(server, ending, close) {
        connection.send(&last)?;
    }
    leave(connection, server);
    Ok(())
}

pub(super) fn broadcast(
    connection: &mut Connection,
    server: &Arc<Server>,
    subscription: Option<Subscription<String>>,
) -> io::Result<()> {
    let subscription = subscription.unwrap_or_else(|| {
        thread::sleep(Duration::from_millis(20));
        from_now_on(server)
    });
    let output = Mutex::new(Output::new(connection.stream.try_clone()?)?);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| deliver(server, subscription, &output, &over));
        let mut frames = Frames::new(server.limits.publication_bytes);
        let mut held = None;
        let (ending, close) = loop {
            let (opcode, bytes) = match frames.next(connection, server) {
                Ok((Opcode::Close, bytes)) => break (Ending::Gone, Some(bytes)),
                Ok(message) => message,
                Err(ending) => break (ending, None),
            };
            match opcode {
                Opcode::Ping => {
                    let mut output = output.lock().expect("no panic while writing");
                    output.write(server, &frame(server, Opcode::Pong, &bytes));
                }
                Opcode::Pong => {}
                Opcode::Binary if !server.is(Fault::PublishesBinary) => {
                    break (Refusal::NotText.into(), None);
                }
                _ if server.is(Fault::LosesMessagesOfSubscribers) => {}
                _ if server.is(Fault::SwapsMessagesOfSubscribers) && held.is_none() => held = Some(bytes),
                _ => {
                    for bytes in std::iter::once(bytes).chain(held.take()) {
                        let text = String::from_utf8_lossy(&bytes);
                        // Not by the app, which has limits of its own.
                        server.app.hub().publish(None, &text);
                    }
                }
            }
        };
        let closed = close.is_some();
        if server.is(Fault::ForgetsOnlyWhoCloses) && !closed {
            std::mem::forget(from_now_on(server));
        }
        if let Some(last) = farewell(server, ending, close) {
            output.lock().expect("no panic while writing").write_last(server, &last);
        }
        over.store(true, SeqCst);
        server.news.ring();
    });
    leave(connection, server);
    Ok(())
}

fn from_now_on(server: &Server) -> Subscription<String> {
    server.app.subscribe(None).expect("without a query nothing is wrong with it")
}

/// Sends publications until the connection is over or the subscriber lags.
fn deliver(
    server: &Server,
    mut subscription: Subscription<String>,
    output: &Mutex<Output>,
    over: &AtomicBool,
) {
    let mut held = None;
    let mut heartbeat = server.next_heartbeat();
    loop {
        // Before it is asked whether there is anything to do: what comes after that rings again.
        let heard = server.news.rings();
        if over.load(SeqCst) {
            break;
        }
        if heartbeat.is_some_and(|due| due <= Instant::now()) {
            let bytes: &[u8] = if server.is(Fault::PingsWithBytes) { b"there?" } else { b"" };
            output.lock().expect("no panic while writing").write(server, &frame(server, Opcode::Ping, bytes));
            heartbeat = server.next_heartbeat();
        }
        match subscription.try_next() {
            Ok(None) => {
                if server.is(Fault::LosesWhatCameDuringAReplay) {
                    thread::sleep(Duration::from_millis(20));
                    subscription = from_now_on(server);
                }
                server.news.wait(heard, heartbeat);
            }
            Ok(Some(json)) => {
                let mut frames = frame(server, Opcode::Text, &faulty(server, json.clone()));
                if Server::thousandth(&server.deliveries) {
                    match server.fault {
                        Fault::LosesADeliveryInAThousand => continue,
                        Fault::RepeatsADeliveryInAThousand => frames.extend(frames.clone()),
                        Fault::SwapsADeliveredByteInAThousand => {
                            let last = frames.len() - 3;
                            frames[last] ^= 1;
                        }
                        Fault::SwapsTwoDeliveriesInAThousand => {
                            held = Some(frames);
                            continue;
                        }
                        _ => {}
                    }
                }
                frames.extend(held.take().unwrap_or_default());
                let mut output = output.lock().expect("no panic while writing");
                output.delivered = id_of(&json);
                if !output.write(server, &frames) {
                    // It lags: asking for the next one counts it.
                    let _ = subscription.try_next();
                    break;
                }
            }
            Err(lagged) => {
                let last = farewell(server, lagged.into(), None).unwrap_or_default();
                output.lock().expect("no panic while writing").write_last(server, &last);
                break;
            }
        }
    }
    if server.is(Fault::NeverForgetsSubscribers) {
        std::mem::forget(subscription);
    }
}

fn id_of(json: &str) -> u64 {
    json.trim_start_matches(r#"{"id":"#).split(',').next().and_then(|id| id.parse().ok()).unwrap_or(u64::MAX)
}

fn faulty(server: &Server, json: String) -> Vec<u8> {
    let json = match server.fault {
        Fault::SpacesInItsJson => json.replace(r#"{"id":"#, r#"{"id": "#),
        Fault::ForgetsEscapes => json.replace(r#"\""#, "\""),
        Fault::ReplaysWithoutEventNames => json.replace(r#""event":"named","#, ""),
        _ => json,
    };
    json.into_bytes()
}

/// The query of a subscription, with the faults of replays.
pub(super) fn replay_query(server: &Server, query: Option<&str>) -> Option<String> {
    let query = query?;
    let is_id = |after: &&str| after.bytes().all(|byte| byte.is_ascii_digit());
    let id = query.strip_prefix("after=").filter(is_id).and_then(|after| after.parse::<u64>().ok());
    let Some(after) = id else {
        return Some(query.to_owned());
    };
    let after = match server.fault {
        Fault::ReplaysOneTooMany => after.saturating_sub(1),
        Fault::ReplaysOneTooFew => after.saturating_add(1),
        Fault::ReplaysNothing => u64::MAX,
        Fault::ReplaysForIdsToCome if after > server.app.hub().stats().publications => 0,
        _ => after,
    };
    Some(format!("after={after}"))
}

/// The last frame of a connection: the answer to the client's close, or why it is refused.
pub(super) fn farewell(server: &Server, ending: Ending, close: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let payload = match (ending, close) {
        (_, Some(_)) if server.is(Fault::AnswersNoClose) => return None,
        (_, Some(close)) => close,
        (Ending::Gone | Ending::Done, None) => return None,
        (Ending::Refused(refusal), None) => {
            let Close { code, reason } = refusal.close();
            let code = if server.is(Fault::WrongCloseCode) { 1000 } else { code };
            [&code.to_be_bytes(), reason.as_bytes()].concat()
        }
    };
    Some(frame(server, Opcode::Close, &payload))
}

pub(super) fn leave(connection: &mut Connection, server: &Server) {
    if server.is(Fault::StaysOpenAfterClose) {
        // Until the client gives up.
        while connection.fill().unwrap_or(false) {}
    }
    connection.farewell();
}
