//! The HTTP side of the reference server.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use contract::{Answer, Refusal, Route, is_handshake_key};

use super::{Connection, Fault, Server, countdown, streams, websocket};

pub(super) struct Request {
    method: String,
    path: String,
    pub(super) query: Option<String>,
    fields: Vec<(String, String)>,
    /// Are the names of fields compared letter by letter?
    exact: bool,
}

impl Request {
    fn field(&self, name: &str) -> &str {
        let same = |own: &str| if self.exact { own == name } else { own.eq_ignore_ascii_case(name) };
        self.fields.iter().find(|(own, _)| same(own)).map_or("", |(_, value)| value)
    }

    /// The first value of a field, if there is one.
    pub(super) fn any_field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str, token: &str) -> bool {
        self.field(name).split(',').any(|own| own.trim().eq_ignore_ascii_case(token))
    }
}

pub(super) fn serve(connection: &mut Connection, server: &Arc<Server>) -> io::Result<()> {
    while let Some(request) = read_head(connection, server)? {
        let mut route = Route::of(&request.method, &request.path);
        if server.is(Fault::UnknownPathsAreFound) && route == Err(Refusal::NotFound) {
            route = Ok(Route::About);
        }
        if server.is(Fault::AnyMethod) && route == Err(Refusal::MethodNotAllowed) {
            route = Ok(Route::About);
        }
        let mut keeps = !request.has("Connection", "close") || server.is(Fault::IgnoresConnectionClose);
        let answer = match route {
            Ok(Route::About) => server.app.about(),
            Ok(Route::Stats) => server.app.stats(),
            Ok(Route::Xhr) if server.is(Fault::CountsUp) => server.app.about(),
            Ok(Route::Xhr) => server.app.xhr(request.query.as_deref()),
            Ok(Route::Publish) => match read_body(connection, server, &request)? {
                Ok(body) => publish(server, request.query.as_deref(), &body),
                Err(refusal) => {
                    keeps = false;
                    refusal.into()
                }
            },
            Ok(Route::Echo | Route::Broadcast | Route::Countdown | Route::FeedWs) => {
                match upgrade(connection, server, &request)? {
                    None => return Ok(()),
                    Some(refusal) => refusal.into(),
                }
            }
            Ok(Route::Sse) => match streams::sse(connection, server, &request)? {
                None => return Ok(()),
                Some(refusal) => refusal.into(),
            },
            Ok(Route::Poll) => streams::poll(server, &request).unwrap_or_else(Answer::from),
            Ok(Route::Feed) => server.app.feed(),
            Ok(Route::FeedSse) => match streams::feed_sse(connection, server, &request)? {
                None => continue,
                Some(answer) => answer,
            },
            Err(refusal) => refusal.into(),
        };
        send(connection, server, answer)?;
        if server.is(Fault::ForgetsPipelinedRequests) {
            connection.input.clear();
        }
        if !keeps || server.is(Fault::ClosesAfterEachAnswer) {
            connection.farewell();
            return Ok(());
        }
    }
    Ok(())
}

/// `None`: the end of the connection, in the middle of a request or not.
fn read_head(connection: &mut Connection, server: &Server) -> io::Result<Option<Request>> {
    let mut reads = 0;
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut parsed = httparse::Request::new(&mut fields);
        let torn = server.is(Fault::WantsRequestsInOneRead) && reads == 1;
        match parsed.parse(&connection.input) {
            Ok(httparse::Status::Complete(bytes)) => {
                let target = parsed.path.unwrap_or_default();
                let (path, query) =
                    target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q.to_owned())));
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                let request = Request {
                    method: parsed.method.unwrap_or_default().to_owned(),
                    path: path.to_owned(),
                    query,
                    fields: parsed.headers.iter().map(|f| (f.name.to_owned(), text(f.value))).collect(),
                    exact: server.is(Fault::ReadsFieldsInOneCase),
                };
                connection.take(bytes);
                return Ok(Some(request));
            }
            Ok(httparse::Status::Partial) if !torn => {
                reads += 1;
                if !connection.fill()? {
                    return Ok(None);
                }
            }
            _ => {
                server.dead.store(server.is(Fault::DiesOfGarbage), Relaxed);
                send(connection, server, Refusal::NotHttp.into())?;
                connection.farewell();
                return Ok(None);
            }
        }
    }
}

fn read_body(
    connection: &mut Connection,
    server: &Server,
    request: &Request,
) -> io::Result<Result<Vec<u8>, Refusal>> {
    let limit = server.limits.publication_bytes;
    let too_big = |bytes| bytes > limit && !server.is(Fault::WaitsForTheWholeBody);
    if !request.has("Transfer-Encoding", "chunked") {
        let Ok(bytes) = request.field("Content-Length").parse() else {
            return Ok(Err(Refusal::NotHttp));
        };
        return if too_big(bytes) {
            Ok(Err(server.app.publication_too_big()))
        } else {
            exactly(connection, server, bytes)
        };
    }
    if server.is(Fault::ReadsNoChunks) {
        return Ok(Err(Refusal::NotHttp));
    }
    let mut body = Vec::new();
    loop {
        let bytes = match httparse::parse_chunk_size(&connection.input) {
            Ok(httparse::Status::Complete((used, bytes))) => {
                connection.take(used);
                usize::try_from(bytes).unwrap_or(usize::MAX)
            }
            Ok(httparse::Status::Partial) if connection.fill()? => continue,
            _ if server.is(Fault::PublishesHalfABody) => return Ok(Ok(body)),
            _ => return Ok(Err(Refusal::NotHttp)),
        };
        if too_big(body.len().saturating_add(bytes)) {
            return Ok(Err(server.app.publication_too_big()));
        }
        match exactly(connection, server, bytes.saturating_add(2))? {
            Ok(chunk) => body.extend_from_slice(&chunk[..bytes.min(chunk.len())]),
            Err(refusal) => return Ok(Err(refusal)),
        }
        if bytes == 0 {
            return Ok(Ok(body));
        }
    }
}

fn exactly(
    connection: &mut Connection,
    server: &Server,
    bytes: usize,
) -> io::Result<Result<Vec<u8>, Refusal>> {
    while connection.input.len() < bytes {
        if !connection.fill()? {
            let half = connection.input.len();
            let publishes = server.is(Fault::PublishesHalfABody);
            return Ok(if publishes { Ok(connection.take(half)) } else { Err(Refusal::NotHttp) });
        }
    }
    Ok(Ok(connection.take(bytes)))
}

fn publish(server: &Server, query: Option<&str>, body: &[u8]) -> Answer {
    let lossy = String::from_utf8_lossy(body);
    let body = if server.is(Fault::AnyUtf8InBodies) { lossy.as_bytes() } else { body };
    let body = if server.is(Fault::CutsLongPublications) { &body[..body.len().min(60_000)] } else { body };
    let query = if server.is(Fault::ForgetsEventNames) { None } else { query };
    let answer = server.app.publish(query, body);
    if server.is(Fault::AnyEventName) && answer.status == 400 {
        server.app.publish(None, body)
    } else {
        answer
    }
}

/// Upgrades and serves the WebSocket to its end, or says why not.
fn upgrade(
    connection: &mut Connection,
    server: &Arc<Server>,
    request: &Request,
) -> io::Result<Option<Refusal>> {
    let key = request.field("Sec-WebSocket-Key");
    let valid = request.has("Upgrade", "websocket")
        && request.has("Connection", "upgrade")
        && (is_handshake_key(key.as_bytes()) || (server.is(Fault::AnyKey) && !key.is_empty()))
        && request.field("Sec-WebSocket-Version") == "13";
    let subscribes = request.path == "/ws/broadcast";
    if !valid && !server.is(Fault::AnyUpgrade) {
        if server.is(Fault::CountsRefusedUpgrades) && subscribes {
            std::mem::forget(server.app.subscribe(None));
        }
        return Ok(Some(Refusal::NotUpgrade));
    }
    let query = websocket::replay_query(server, request.query.as_deref());
    let subscription = match server.app.subscribe(query.as_deref()) {
        _ if !subscribes => None,
        Ok(_) if server.is(Fault::SubscribesAfterTheAnswer) => None,
        Ok(subscription) => Some(subscription),
        Err(_) if server.is(Fault::AnyAfter) => server.app.subscribe(None).ok(),
        Err(refusal) => return Ok(Some(refusal)),
    };
    let accept = framing::accept_key(if server.is(Fault::WrongAccept) { "" } else { key });
    let extension = if server.is(Fault::NegotiatesCompression) {
        "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    } else {
        ""
    };
    connection.send(
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             {extension}Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .as_bytes(),
    )?;
    if server.is(Fault::ForgetsFramesAfterTheUpgrade) {
        connection.input.clear();
    }
    match request.path.as_str() {
        "/ws/echo" => websocket::echo(connection, server)?,
        "/ws/countdown" => countdown::countdown(connection, server)?,
        "/feed/ws" => streams::feed_ws(connection, server)?,
        _ => websocket::broadcast(connection, server, subscription)?,
    }
    Ok(None)
}

fn send(connection: &mut Connection, server: &Server, answer: Answer) -> io::Result<()> {
    let Answer { mut status, body } = answer;
    let mut body = String::from_utf8(body.into()).expect("JSON is UTF-8");
    match server.fault {
        Fault::NamesNoFramework => body = body.replace(r#""framework":"std""#, r#""framework":"""#),
        Fault::ExtraMember => body = body.replace(r#"{"subscribers""#, r#"{"more":0,"subscribers""#),
        Fault::IdsSkip if body.starts_with(r#"{"id":"#) => body = body.replace(r#"{"id":"#, r#"{"id":1"#),
        Fault::CountsNoSubscribers if status == 202 => {
            let end = body.rfind(':').map_or(0, |colon| colon + 1);
            body.truncate(end);
            body.push_str("0}");
        }
        Fault::CountsNoEventStreams => body = drop_count(&body, "sse"),
        Fault::CountsNoPolls => body = drop_count(&body, "long_poll"),
        Fault::PollsEndWith200 if status == 204 => {
            status = 200;
            body.push_str("[]");
        }
        Fault::PollsHoldOne if body.starts_with("[{") && body.matches(r#"{"id":"#).count() < 400 => {
            let end = body.find(r#"},{"id""#).map_or(body.len(), |at| at + 1);
            body.truncate(end);
            if !body.ends_with(']') {
                body.push(']');
            }
        }
        Fault::CountsNoLagging => body = body.replace(r#""lagged":1"#, r#""lagged":0"#),
        _ => {}
    }
    let media_type = if server.is(Fault::WrongContentType) { "text/html" } else { Answer::CONTENT_TYPE };
    let coding = if server.is(Fault::ClaimsCompression) { "Content-Encoding: gzip\r\n" } else { "" };
    if status == 204 {
        return connection.send(b"HTTP/1.1 204 Status\r\n\r\n");
    }
    let length = body.len();
    connection.send(
        format!(
            "HTTP/1.1 {status} Status\r\nContent-Type: {media_type}\r\n{coding}Content-Length: {length}\r\n\r\n{body}"
        )
        .as_bytes(),
    )
}

/// The statistics without the subscribers of a transport.
fn drop_count(body: &str, transport: &str) -> String {
    let (before, after) = body.split_once(&format!("\"{transport}\":")).unwrap_or((body, ""));
    let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
    if after.is_empty() { body.to_owned() } else { format!("{before}\"{transport}\":0{rest}") }
}
