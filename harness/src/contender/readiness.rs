use std::net::SocketAddr;
use std::time::Duration;

use contract::About;

/// Asks `GET /` once: `None` if nobody answers yet.
///
/// # Errors
/// An answer that is not the contract's: what it was.
pub(super) fn about(address: SocketAddr, timeout: Duration) -> Result<Option<About>, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .build()
        .into();
    let mut answer = match agent.get(format!("http://{address}/")).call() {
        Ok(answer) => answer,
        Err(ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed) => return Ok(None),
        Err(other) => return Err(other.to_string()),
    };
    let body =
        answer.body_mut().with_config().limit(64 * 1024).read_to_string().map_err(|e| e.to_string())?;
    // It says itself that it is not ready yet.
    if answer.status() == 503 {
        return Ok(None);
    }
    let start: String = body.chars().take(200).collect();
    if answer.status() != 200 {
        return Err(format!("status {} in place of 200, {start:?}", answer.status()));
    }
    serde_json::from_str(&body).map(Some).map_err(|error| format!("{error}, in {start:?}"))
}
