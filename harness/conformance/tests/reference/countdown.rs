use std::io;

use contract::{Ending, Refusal};
use framing::Opcode;

use super::frames::Frames;
use super::websocket::{farewell, frame, leave};
use super::{Connection, Fault, Server};

/// `WS /ws/countdown`, after its handshake.
pub(super) fn countdown(connection: &mut Connection, server: &Server) -> io::Result<()> {
    let mut frames = Frames::new(server.limits.publication_bytes);
    let (ending, close) = loop {
        let (opcode, bytes) = match frames.next(connection, server) {
            Ok((Opcode::Close, bytes)) => break (Ending::Gone, Some(bytes)),
            Ok(message) => message,
            Err(ending) => break (ending, None),
        };
        match opcode {
            Opcode::Ping => connection.send(&frame(server, Opcode::Pong, &bytes))?,
            Opcode::Pong => {}
            Opcode::Binary if !server.is(Fault::TakesBinaryCounts) => break (Refusal::NotText.into(), None),
            _ => match step(server, &String::from_utf8_lossy(&bytes)) {
                Ok(json) => connection.send(&frame(server, Opcode::Text, json.as_bytes()))?,
                Err(refusal) => break (refusal.into(), None),
            },
        }
        if server.is(Fault::ForgetsPipelinedRequests) {
            connection.input.clear();
        }
    };
    if let Some(last) = farewell(server, ending, close) {
        connection.send(&last)?;
    }
    leave(connection, server);
    Ok(())
}

fn step(server: &Server, text: &str) -> Result<String, Refusal> {
    match server.app.countdown(text) {
        Ok(_) if server.is(Fault::CountsUp) => Ok(text.to_owned()),
        Err(_) if server.is(Fault::TakesAnyCount) => Ok(r#"{"count":0}"#.to_owned()),
        other => other,
    }
}
