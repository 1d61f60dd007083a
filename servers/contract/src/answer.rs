use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Refusal, Subscribers};

/// A whole HTTP answer. Its `Content-Type` is always `application/json`, unless it has no body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// JSON, or nothing with the status 204.
    pub body: Bytes,
}

impl Answer {
    /// The media type of every body.
    pub const CONTENT_TYPE: &str = "application/json";

    /// For a path that the contract does not name.
    #[must_use]
    pub fn not_found() -> Self {
        Refusal::NotFound.into()
    }

    /// For a path of the contract, with a method that it does not have.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Refusal::MethodNotAllowed.into()
    }

    /// 204: there is nothing, and there is no body (RFC 9110, section 15.3.5).
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: 204, body: Bytes::new() }
    }

    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        // Only maps with keys that are no strings cannot be written; ours are structs.
        let body = serde_json::to_vec(body).expect("a struct of strings and numbers is JSON");
        Self { status, body: body.into() }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        #[derive(Serialize)]
        struct Error {
            error: String,
        }
        Self::json(refusal.status(), &Error { error: refusal.to_string() })
    }
}

/// `GET /`: who answers. A 200 here means that the contender is ready.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct About {
    /// Name of the contender.
    pub contender: String,
    /// Framework, as its package is called.
    pub framework: String,
    /// Version of the framework.
    pub version: String,
    /// Event-loop threads.
    pub workers: usize,
}

/// One step of a countdown: the answer to `GET /xhr?count=N`, and either side of `WS /ws/countdown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Countdown {
    /// What is left to count.
    pub count: u64,
}

/// The answer to a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its id: 1 for the first, then one more each.
    pub id: u64,
    /// How many subscribers it goes to.
    pub subscribers: u64,
}

/// `GET /stats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Subscribers now.
    pub subscribers: Subscribers,
    /// Publications since the start.
    pub publications: u64,
    /// Subscribers that were closed by the server, by reason.
    pub dropped: Dropped,
}

/// Why subscribers were closed by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// They fell more than the replay window behind.
    pub lagged: u64,
}
