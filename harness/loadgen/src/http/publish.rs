use std::net::SocketAddr;

use serde::Deserialize;

/// The head of every `POST /publish` with `body_bytes` of data.
pub(crate) fn request_head(host: SocketAddr, body_bytes: usize) -> Vec<u8> {
    format!(
        "POST /publish HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {body_bytes}\r\n\r\n"
    )
    .into_bytes()
}

/// What a 202 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Receipt {
    /// Id of the publication.
    pub(crate) id: u64,
    /// How many subscribers it goes to.
    pub(crate) subscribers: u64,
}

/// The answer to one publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted(Receipt),
    Refused {
        status: u16,
    },
    /// A 202 whose body is no receipt.
    NoReceipt,
}

impl Answer {
    pub(crate) fn of(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            _ if status != 202 => Self::Refused { status },
            Ok(receipt) => Self::Accepted(receipt),
            Err(_) => Self::NoReceipt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_status_and_its_receipt() {
        let receipt = br#"{"id":2,"subscribers":100}"#;
        assert_eq!(Answer::of(202, receipt), Answer::Accepted(Receipt { id: 2, subscribers: 100 }));
        assert_eq!(Answer::of(202, b"{}"), Answer::NoReceipt);
        assert_eq!(Answer::of(200, receipt), Answer::Refused { status: 200 });
        assert_eq!(Answer::of(413, b"{}"), Answer::Refused { status: 413 });
    }
}
