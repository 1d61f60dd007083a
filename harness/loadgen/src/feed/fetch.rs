use framing::Opcode;

use super::{Fixture, Reading};
use crate::engine::Context;
use crate::http::{Decoder, Head, Part, Upgrade};
use crate::load::FeedTransport;
use crate::loss::Loss;
use crate::websocket::Client;

/// Longest of what an event has beside its item.
const MAX_FIELDS_BYTES: usize = 1024;
/// What each of a client's buffers may keep between two events.
const KEPT_BYTES: usize = 256;

/// What reads the answer to one request for the feed.
#[derive(Debug)]
pub(super) enum Fetch {
    /// An array.
    Xhr(Decoder),
    /// An event stream.
    Sse(Decoder, Box<sse::Parser>),
    /// Messages, after the answer to the upgrade. Each feed takes a connection of its own.
    Socket(Option<Upgrade>, Box<Client>),
}

impl Fetch {
    /// Of a feed like this one.
    pub(super) fn new(transport: FeedTransport, fixture: &Fixture) -> Self {
        // Of a wrong feed all is read, as far as it is not far longer.
        let decoder = Decoder::up_to(2 * fixture.array().len() as u64 + 1024 * 1024);
        match transport {
            FeedTransport::Xhr => Self::Xhr(decoder),
            FeedTransport::Sse => Self::Sse(decoder, Box::default()),
            FeedTransport::Websocket => Self::Socket(None, Box::new(Client::new())),
        }
    }

    /// Appends the request to `context.out`; `request` is that of those over plain HTTP.
    pub(super) fn ask(&mut self, request: &[u8], context: &mut Context) {
        match self {
            Self::Xhr(_) | Self::Sse(..) => context.out.extend_from_slice(request),
            Self::Socket(upgrade, _) => {
                let Context { target, random, out, .. } = context;
                *upgrade = Some(Upgrade::request(*target, "/feed/ws", random, out));
            }
        }
    }

    /// Takes what has arrived, until the feed is complete: `true`. Then `bytes` holds what follows it.
    ///
    /// # Errors
    /// What makes the connection useless.
    pub(super) fn receive(
        &mut self,
        bytes: &mut &mut [u8],
        at_ns: u64,
        reading: &mut Reading,
        fixture: &Fixture,
        context: &mut Context,
    ) -> Result<bool, Loss> {
        match self {
            Self::Xhr(decoder) => answer(decoder, bytes, false, reading, |data, reading| {
                reading.array(data, fixture, at_ns);
                Ok(())
            }),
            Self::Sse(decoder, parser) => {
                let is_over = answer(decoder, bytes, true, reading, |data, reading| {
                    events(parser, data, reading, fixture, at_ns)
                })?;
                parser.shrink_to(KEPT_BYTES);
                if is_over {
                    **parser = sse::Parser::new();
                }
                Ok(is_over)
            }
            Self::Socket(upgrade, client) => {
                if let Some(asked) = upgrade {
                    let Some(frames) = asked.receive(std::mem::take(bytes))? else { return Ok(false) };
                    *bytes = frames;
                    *upgrade = None;
                }
                messages(client, bytes, at_ns, reading, fixture, context)
            }
        }
    }
}

/// Reads an answer over HTTP, and hands its body to `body`.
fn answer(
    decoder: &mut Decoder,
    bytes: &mut &mut [u8],
    is_stream: bool,
    reading: &mut Reading,
    mut body: impl FnMut(&[u8], &mut Reading) -> Result<(), Loss>,
) -> Result<bool, Loss> {
    let all = std::mem::take(bytes);
    let mut rest = &*all;
    while let Some(part) = decoder.next(&mut rest)? {
        match part {
            Part::Head(_) if reading.asked_ns.is_none() => {
                return Err(Loss::Malformed("an answer to no request"));
            }
            Part::Head(Head { until_close: true, .. }) => return Err(Loss::Malformed("no Content-Length")),
            Part::Head(Head { status, .. }) if status != 200 => {
                reading.blame(format!("a request answered with HTTP {status}"));
            }
            Part::Head(Head { is_event_stream, .. }) if is_event_stream != is_stream => {
                reading.blame("a feed of the wrong media type");
            }
            Part::Head(_) => {}
            Part::Data(data) => body(data, reading)?,
            Part::End => {
                let start = all.len() - rest.len();
                *bytes = &mut all[start..];
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn events(
    parser: &mut sse::Parser,
    mut data: &[u8],
    reading: &mut Reading,
    fixture: &Fixture,
    at_ns: u64,
) -> Result<(), Loss> {
    while let Some(event) = parser.next(&mut data) {
        if event.name != b"message" || event.id != (reading.items + 1).to_string().as_bytes() {
            reading.blame("an event that is no item");
        }
        reading.piece(event.data, true, fixture, at_ns);
    }
    if parser.held_bytes() > fixture.longest_bytes() + MAX_FIELDS_BYTES {
        return Err(Loss::TooLong);
    }
    Ok(())
}

/// Reads messages up to the server's close, and answers that.
fn messages(
    client: &mut Client,
    bytes: &mut &mut [u8],
    at_ns: u64,
    reading: &mut Reading,
    fixture: &Fixture,
    context: &mut Context,
) -> Result<bool, Loss> {
    loop {
        match client.next(bytes, &mut context.random, &mut context.out) {
            Ok(None) => return Ok(false),
            Ok(Some(chunk)) => {
                if chunk.first && chunk.opcode != Opcode::Text {
                    reading.blame("a message that is no text");
                }
                reading.piece(chunk.payload, chunk.last, fixture, at_ns);
            }
            Err(Loss::Closed { code: framing::close::NORMAL, .. }) => {
                client.close(&mut context.random, &mut context.out);
                return Ok(true);
            }
            Err(loss) => return Err(loss),
        }
    }
}
